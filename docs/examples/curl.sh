#!/bin/sh
# Uploads a photograph and fetches it back.
#
#   AR_TARGETS_TOKEN=eyJ… sh curl.sh SERVER PROJECT_ID PHOTO
set -eu

targets=$1/api/project/$2/imagetarget
photo=$3

work=$(mktemp -d)
trap 'rm -r "$work"' EXIT
# In a file: others can see the arguments of a command, and a photograph is too long for one.
printf 'Authorization: Bearer %s' "$AR_TARGETS_TOKEN" > "$work/token"
printf '{"description": "sent by curl", "image": "%s"}' "$(base64 < "$photo" | tr -d '\n')" \
    > "$work/body.json"

# An error's body says what is wrong; --fail-with-body shows it and ends the script.
made=$(curl -sS --fail-with-body -H @"$work/token" --json @"$work/body.json" \
    -o "$work/made.json" -w '%header{location}' "$targets") || {
    cat "$work/made.json" >&2
    exit 1
}
echo "made $made"

curl -sS --fail-with-body -H @"$work/token" -o "$work/back.jpg" "$made/image"
cmp "$photo" "$work/back.jpg"
echo "fetched the same bytes"
