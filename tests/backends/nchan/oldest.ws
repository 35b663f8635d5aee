id: 1795319881:0
content-type: application/json

{"title":"first","body":"one"}
====
id: 1795319881:1
content-type: text/plain

two
====
id: 1795319882:0
content-type: application/json

{"title":"live","body":"three"}
====
id: 1795319882:1
content-type: text/plain

line A
line B
====
id: 1795319896:0
content-type: text/plain

five after wait
====
id: 1795319900:0
content-type: application/json

{"title":"ws","body":"six"}
