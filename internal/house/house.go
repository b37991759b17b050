// Package house keeps the rules by which the packages of keyturn may import each other. It holds tests alone.
package house
