"""OpenStack Swift with its S3 interface, all of its servers in one process, on loopback ports that are free.

    serve.py FOLDER        keeps everything below FOLDER; prints the port of the S3 interface once it answers

One device, one replica, and one user: account `test`, key id `test:tester`, secret `testing`. It ends when its standard input does.
"""
import logging
import os
import sys

folder = sys.argv[1]
region = "us-east-1"

import eventlet
import eventlet.patcher
eventlet.monkey_patch()
eventlet.hubs.use_hub("poll")
import eventlet.wsgi

with open(os.path.join(folder, "swift.conf"), "w") as conf:
    conf.write("""[swift-hash]
swift_hash_path_suffix = suffix
swift_hash_path_prefix = prefix
[storage-policy:0]
name = default
default = yes
""")

import swift.common.utils as utils
utils.SWIFT_CONF_FILE = os.path.join(folder, "swift.conf")
from swift.common import utils, wsgi, storage_policy
# What the servers report goes to the standard error, not to the system's log.
utils.ThreadSafeSysLogHandler = lambda *_, **__: logging.StreamHandler(sys.stderr)
utils.validate_hash_conf()
storage_policy.reload_storage_policies()
from swift.common.ring import RingBuilder

devices = os.path.join(folder, "devices")
os.makedirs(os.path.join(devices, "one"), exist_ok=True)
sockets = {name: eventlet.listen(("127.0.0.1", 0), backlog=256) for name in ("account", "container", "object", "proxy")}
ports = {name: socket.getsockname()[1] for name, socket in sockets.items()}

for name in ("account", "container", "object"):
    # Two to the fourth partitions, one replica, and no wait between changes of the ring.
    builder = RingBuilder(4, 1, 0)
    builder.add_dev({"region": 1, "zone": 1, "weight": 1.0, "ip": "127.0.0.1", "port": ports[name],
                     "device": "one", "meta": "", "replication_ip": "127.0.0.1", "replication_port": ports[name]})
    builder.rebalance()
    builder.get_ring().save(os.path.join(folder, name + ".ring.gz"))
    with open(os.path.join(folder, name + "-server.conf"), "w") as conf:
        conf.write(f"""[DEFAULT]
swift_dir = {folder}
devices = {devices}
mount_check = false
bind_ip = 127.0.0.1
bind_port = {ports[name]}
workers = 0
log_level = ERROR
fallocate_reserve = 0
[pipeline:main]
pipeline = {name}-server
[app:{name}-server]
use = egg:swift#{name}
disable_fallocate = true
""")

with open(os.path.join(folder, "proxy-server.conf"), "w") as conf:
    conf.write(f"""[DEFAULT]
swift_dir = {folder}
bind_ip = 127.0.0.1
bind_port = {ports["proxy"]}
workers = 0
log_level = ERROR
[pipeline:main]
pipeline = catch_errors gatekeeper healthcheck listing_formats s3api tempauth slo proxy-server
[app:proxy-server]
use = egg:swift#proxy
account_autocreate = true
allow_account_management = true
[filter:tempauth]
use = egg:swift#tempauth
user_test_tester = testing .admin
[filter:s3api]
use = egg:swift#s3api
location = {region}
s3_acl = false
check_bucket_owner = false
[filter:slo]
use = egg:swift#slo
[filter:catch_errors]
use = egg:swift#catch_errors
[filter:gatekeeper]
use = egg:swift#gatekeeper
[filter:healthcheck]
use = egg:swift#healthcheck
[filter:listing_formats]
use = egg:swift#listing_formats
""")


class Cache:
    """What memcached would hold, without an expiry: nothing in a test lives that long."""

    def __init__(self):
        self.held = {}

    def get(self, key, *_, **__):
        return self.held.get(key)

    def set(self, key, value, *_, **__):
        self.held[key] = value

    def delete(self, key, *_, **__):
        self.held.pop(key, None)

    def incr(self, key, delta=1, *_, **__):
        self.held[key] = self.held.get(key, 0) + delta
        return self.held[key]


cache = Cache()


def with_cache(app):
    def call(env, start_response):
        env["swift.cache"] = cache
        return app(env, start_response)
    return call


class Quiet:
    def write(self, _):
        pass

    def flush(self):
        pass


def serve(name):
    app = wsgi.loadapp(os.path.join(folder, name + "-server.conf"), global_conf={"log_name": name})
    eventlet.wsgi.server(sockets[name], with_cache(app), log=Quiet(), debug=False, protocol=wsgi.SwiftHttpProtocol)


def watch_input():
    eventlet.tpool.execute(sys.stdin.buffer.read)
    os._exit(0)


for name in sockets:
    eventlet.spawn(serve, name)
eventlet.spawn(watch_input)
eventlet.sleep(0)
print(ports["proxy"], flush=True)
while True:
    eventlet.sleep(3600)
