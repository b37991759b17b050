// Package function is keyturn as three Lambda functions: it takes the events that AWS delivers, hands them to the
// application, and answers as AWS asks, so that what failed comes again and what is hopeless ends in a dead-letter queue.
//
// It owns the shapes of events and the time of an invocation. It must not know what a scan, a step or a click does.
package function
