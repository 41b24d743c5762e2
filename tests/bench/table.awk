# table.awk: tables of what the bench printed, for a terminal or the README.
#
# Takes the bench's lines. Parts fill and proxy become a table for each distance,
# with and without TLS: seconds, or milliseconds, of each tool. Where a tool was
# measured twice under the same conditions the last one counts.

function keys(	i, at) {
	delete value
	for (i = 2; i <= NF; i++) {
		at = index($i, "=")
		value[substr($i, 1, at - 1)] = substr($i, at + 1)
	}
}

# Keeps names in the order in which they came.
function add(list, name) {
	if (!((list, name) in seen)) {
		seen[list, name] = 1
		names[list, ++count[list]] = name
	}
}

function put(table, row, column, text) {
	add("tables", table)
	add("rows" table, row)
	add("columns" table, column)
	cell[table, row, column] = text
}

function distance() {
	return "RTT " value["rtt_ms"] " ms" \
		(value["tls"] == "yes" ? ", over TLS" : "")
}

function fill(	row, table) {
	table = "Full copy, seconds, " distance()
	row = value["corpus"] ", " value["store"]
	if ("tool" in value) {
		put(table, row, value["tool"], sprintf("%.2f", value["wall_s"]))
	} else if (sub(/^dovecot-migration\//, "ours/", value["ratio"])) {
		put(table, row, value["ratio"], value["value"])
	}
}

function proxy(	i, table, step) {
	table = "A client's view, milliseconds, median/p99, " distance()
	for (i = 2; i <= NF; i++) {
		step = $i
		if (sub(/_p99_ms=.*/, "", step) == 0)
			continue
		put(table, step, value["tool"] " " value["state"],
		    sprintf("%.1f/%.1f", value[step "_ms"],
			    value[step "_p99_ms"]))
	}
}

function width(table, column,	r, w, text) {
	w = length(column)
	for (r = 1; r <= count["rows" table]; r++) {
		text = cell[table, names["rows" table, r], column]
		if (length(text) > w)
			w = length(text)
	}
	return w
}

function print_row(table, row, is_head,	c, column, line, text) {
	line = sprintf("    %-18s", row)
	for (c = 1; c <= count["columns" table]; c++) {
		column = names["columns" table, c]
		text = is_head ? column : cell[table, row, column]
		line = line sprintf("  %" width(table, column) "s",
				    text == "" ? "-" : text)
	}
	print line
}

/^bench: part=fill / && !/ users=/ {
	keys()
	fill()
}
/^bench: part=proxy tool=/ {
	keys()
	proxy()
}
END {
	for (t = 1; t <= count["tables"]; t++) {
		table = names["tables", t]
		print "\n" table "\n"
		print_row(table, "", 1)
		for (r = 1; r <= count["rows" table]; r++)
			print_row(table, names["rows" table, r], 0)
	}
}
