#!/bin/sh
# Uploads a photograph and fetches it back.
#
#   AR_TARGETS_TOKEN=eyJ… sh curl.sh SERVER PROJECT_ID PHOTO
#
# The token is one that may write: keep it to yourself, and ship a read-only one in an app.
set -eu

targets=$1/api/project/$2/imagetarget
photo=$3

work=$(mktemp -d)
trap 'rm -r "$work"' EXIT
# In a file: others can see the arguments of a command.
printf 'Authorization: Bearer %s' "$AR_TARGETS_TOKEN" > "$work/token"

# An error's body says what is wrong; --fail-with-body shows it and ends the script.
# From standard input: in a file's name, -F would take a comma or semicolon for its own.
made=$(curl -sS --fail-with-body -H @"$work/token" \
    -F "image=@-;filename=image.jpg" -F "description=sent by curl" -F physical_width=0.3 \
    -o "$work/made.json" -w '%header{location}' "$targets" < "$photo") || {
    cat "$work/made.json" >&2
    exit 1
}
echo "made $made"

curl -sS --fail-with-body -H @"$work/token" -o "$work/back.jpg" "$made/image"
cmp "$photo" "$work/back.jpg"
echo "fetched the same bytes"
