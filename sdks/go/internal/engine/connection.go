package engine

import (
	"crypto/x509"
	"errors"
	"net"
	"net/url"
)

// isNotSent says whether no connection was made, so that the registry cannot have seen the request.
func isNotSent(err error) bool {
	var dns *net.DNSError
	if errors.As(err, &dns) {
		return true
	}
	var operation *net.OpError
	return errors.As(err, &operation) && operation.Op == "dial"
}

// isHopeless says whether retrying cannot help: a bad certificate or an invalid URL.
func isHopeless(err error) bool {
	var invalid x509.CertificateInvalidError
	var unknown x509.UnknownAuthorityError
	var hostname x509.HostnameError
	var address *url.Error
	if errors.As(err, &invalid) || errors.As(err, &unknown) || errors.As(err, &hostname) {
		return true
	}
	return errors.As(err, &address) && address.Op == "parse"
}
