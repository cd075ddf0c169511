#!/bin/sh
# Runs SeaweedFS as one S3 server with two identities, whose keys come from the environment: the writer
# (`dvc push`) and the reader (the service, which needs no more), each for the one bucket.
# DATA, RUN, PORT and BIND are there for the tests.
set -eu
umask 077
DATA=${DATA:-/data} RUN=${RUN:-/tmp} PORT=${PORT:-8333} BUCKET=${S3_BUCKET:-models}

value=
for name in S3_WRITER_KEY S3_WRITER_SECRET S3_READER_KEY S3_READER_SECRET; do
    eval "value=\${$name:-}"
    case $value in
        '') echo "seaweedfs: set $name" >&2; exit 64 ;;
        # These characters need no escape in the JSON below, nor in anybody's shell.
        *[!A-Za-z0-9_.-]*) echo "seaweedfs: $name takes letters, digits, _ . - only" >&2; exit 64 ;;
    esac
    case $name in *_SECRET)
        [ ${#value} -ge 16 ] || { echo "seaweedfs: $name wants 16 characters or more" >&2; exit 64; } ;;
    esac
done
case $BUCKET in
    *[!a-z0-9-]*) echo "seaweedfs: S3_BUCKET takes small letters, digits and - only" >&2; exit 64 ;;
esac
[ "$S3_WRITER_KEY" != "$S3_READER_KEY" ] ||
    { echo "seaweedfs: S3_WRITER_KEY and S3_READER_KEY must differ" >&2; exit 64; }

rm -f "$RUN/bucket-is-there"
cat > "$RUN/s3.json" <<JSON
{"identities": [
  {"name": "writer", "credentials": [{"accessKey": "$S3_WRITER_KEY", "secretKey": "$S3_WRITER_SECRET"}],
   "actions": ["Read:$BUCKET", "List:$BUCKET", "Tagging:$BUCKET", "Write:$BUCKET"]},
  {"name": "reader", "credentials": [{"accessKey": "$S3_READER_KEY", "secretKey": "$S3_READER_SECRET"}],
   "actions": ["Read:$BUCKET", "List:$BUCKET"]}
]}
JSON

# Only S3 asks for keys: all else listens on loopback, and on ports that follow from PORT.
master=$((PORT + 1000)) volume=$((PORT + 7)) filer=$((PORT + 555))

ask() {
    echo "$1" | weed shell -master=127.0.0.1:$master -filer=127.0.0.1:$filer 2>/dev/null || true
}

make_bucket() {
    until wget -q -O /dev/null "http://127.0.0.1:$PORT/healthz" 2>/dev/null; do sleep 1; done
    until ask s3.bucket.list | grep -q "^  ${BUCKET}[[:space:]]"; do
        ask "s3.bucket.create -name $BUCKET" >&2
        sleep 1
    done
    touch "$RUN/bucket-is-there"
}
make_bucket &

exec weed -logtostderr server -dir="$DATA" -ip=127.0.0.1 -ip.bind=127.0.0.1 \
    -master.port=$master -master.telemetry=false -master.volumeSizeLimitMB=1024 \
    -volume.port=$volume -volume.max=0 -volume.minFreeSpace=1GiB -volume.preStopSeconds=1 \
    -filer.port=$filer -filer.localSocket="$RUN/filer.sock" -s3.localSocket="$RUN/s3.sock" \
    -s3 -s3.port="$PORT" -s3.ip.bind="${BIND:-0.0.0.0}" -s3.config="$RUN/s3.json" \
    -s3.port.iceberg=0 -s3.port.lance=0
