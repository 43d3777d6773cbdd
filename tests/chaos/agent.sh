#!/bin/sh
# An agent in a hurry: it talks, calls tools, writes files and notes each that is written, commits now and then, changes
# a file that the others change too, gives up now and then, and leaves a child in a session of its own.
notes=$1
run=$AGENTPANE_RUN_ID
cat > /dev/null
setsid tail -f /dev/null &

say() { printf '{"session_id":"s-%s","type":%s}\n' "$run" "$1"; }
says() { say "\"assistant\",\"message\":{\"id\":\"m$1\",\"content\":[$2]}"; }

say '"system","subtype":"init","model":"scripted"'
mkdir -p work
for n in 1 2 3; do
  file=work/$run-$n.txt
  says "c$n" "{\"type\":\"tool_use\",\"id\":\"c$n\",\"name\":\"Write\",\"input\":{\"file_path\":\"$file\"}}"
  printf '%s %s\n' "$run" "$n" > "$file"
  printf '%s %s\n' "$run" "$n" >> "$notes"
  case $n$run in 2*[0-9a-h]) git add -A && git -c user.name=Agent -c user.email=agent@localhost commit -qm "Part $n" ;; esac
  say "\"user\",\"message\":{\"content\":[{\"type\":\"tool_result\",\"tool_use_id\":\"c$n\",\"content\":\"written\"}]}"
  say "\"stream_event\",\"event\":{\"type\":\"message_start\",\"message\":{\"id\":\"m$n\"}}"
  for word in I wrote "$file"; do
    say "\"stream_event\",\"event\":{\"type\":\"content_block_delta\",\"delta\":{\"type\":\"text_delta\",\"text\":\"$word \"}}"
    sleep 0.04
  done
  says "$n" "{\"type\":\"text\",\"text\":\"I wrote $file\"}"
done
case $run in *[t-v]) echo "Also here: $run" >> README.md ;; esac
case $run in *[y-z]) echo "I give up." >&2; exit 3 ;; esac
say '"result","subtype":"success","result":"All written."'
