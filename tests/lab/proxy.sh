# proxy: the distance to the old server, and the place to break the way to it.

PROXY_CONTROL=control/old-proxy

proxy_start()
{
	mkdir -p "$DIR/control"
	process_start old-proxy "$BUILD/tests/lab/delay-proxy" \
		--listen 127.0.0.1:$PORT_PROXY_IMAP \
		--connect 127.0.0.1:$PORT_OLD_IMAP \
		--listen 127.0.0.1:$PORT_PROXY_POP3 \
		--connect 127.0.0.1:$PORT_OLD_POP3 \
		--rtt "$RTT" --control "$DIR/$PROXY_CONTROL"
	port_wait $PORT_PROXY_IMAP old-proxy
	port_wait $PORT_PROXY_POP3 old-proxy
}
