// What a page draws beside its text and images. pdf.js skips the paths of a page when it collects text; here it notes them
// on the way, so that the content is not parsed a second time. They are reported as `{ type: "drawing", steps }` after the
// text of the content that draws them. `steps` are three numbers each, in the user space of the page:
//
// - 0 x y: start a line here,
// - 1 x y: a straight line to here,
// - 2 0 0: back to where the line started,
// - 3 kind width: paint the path; kind is 1 for a stroke of this width, 2 for a fill, 3 for both.
import { before, type Patch } from "./Patch.ts"

/** A content that draws more is a picture or a map: nothing of its drawing is reported. */
const mostNumbers = 300_000

const drawing = String.raw`
    const steps = [];
    let pathStart = 0, isTooMuch = false;
    function addStep(code, x, y) {
      if (isTooMuch) return;
      if (steps.length >= ${mostNumbers}) {
        isTooMuch = true;
        steps.length = pathStart = 0;
        return;
      }
      const m = textState.ctm;
      steps.push(code, m[0] * x + m[2] * y + m[4], m[1] * x + m[3] * y + m[5]);
    }
    function endPath(kind) {
      if (kind === 0 || steps.length === pathStart) {
        steps.length = pathStart;
        return;
      }
      const m = textState.ctm;
      steps.push(3, kind, (textState.lineWidth ?? 1) * Math.sqrt(Math.abs(m[0] * m[3] - m[1] * m[2])));
      pathStart = steps.length;
    }
    function reportDrawing() {
      steps.length = pathStart;
      if (pathStart === 0) return;
      textContent.items.push({ type: "drawing", steps: steps.slice() });
      steps.length = pathStart = 0;
    }
`

const cases = String.raw`
          case OPS.setLineWidth:
            textState.lineWidth = args[0];
            break;
          case OPS.moveTo:
            addStep(0, args[0], args[1]);
            break;
          case OPS.lineTo:
            addStep(1, args[0], args[1]);
            break;
          case OPS.curveTo:
            addStep(0, args[4], args[5]);
            break;
          case OPS.curveTo2:
          case OPS.curveTo3:
            addStep(0, args[2], args[3]);
            break;
          case OPS.closePath:
            addStep(2, 0, 0);
            break;
          case OPS.rectangle:
            addStep(0, args[0], args[1]);
            addStep(1, args[0] + args[2], args[1]);
            addStep(1, args[0] + args[2], args[1] + args[3]);
            addStep(1, args[0], args[1] + args[3]);
            addStep(2, 0, 0);
            break;
          case OPS.closeStroke:
            addStep(2, 0, 0);
          case OPS.stroke:
            endPath(1);
            break;
          case OPS.fill:
          case OPS.eoFill:
            endPath(2);
            break;
          case OPS.closeFillStroke:
          case OPS.closeEOFillStroke:
            addStep(2, 0, 0);
          case OPS.fillStroke:
          case OPS.eoFillStroke:
            endPath(3);
            break;
          case OPS.endPath:
            endPath(0);
            break;
`

export const drawingPatches: ReadonlyArray<Patch> = [
  before("    const TRACKING_SPACE_FACTOR = 0.102;\n", drawing.slice(1)),
  before("          case OPS.setTextRise:\n            textState.textRise = args[0];", cases.slice(1))
]
