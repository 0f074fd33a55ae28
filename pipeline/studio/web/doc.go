// Package web shows a studio in a browser: one page of HTML that reads without a script, and
// a small script that changes labels and follows what happens.
//
// It is for this machine alone. A request is refused whose Host is not one of the names that
// the server was given, so that no foreign name leads here; a request from a page of another
// origin changes nothing. All text from people goes through html/template. A content security
// policy lets a page load and run nothing but what comes from here.
package web
