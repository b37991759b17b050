package storetest

import (
	"fmt"
	"hash/fnv"
	"reflect"
	"time"

	"pgregory.net/rapid"
)

// Draw draws any value of a type with every field of it set or not: nil and empty slices, maps and pointers, hostile text,
// times in UTC.
func Draw[T any](t *rapid.T, label string) T {
	var v T
	draw(t, reflect.ValueOf(&v).Elem(), label)
	return v
}

var (
	texts = rapid.OneOf(rapid.SampledFrom(hostile), rapid.String())
	times = rapid.Custom(func(t *rapid.T) time.Time {
		sec := rapid.OneOf(rapid.Int64Range(1_400_000_000, 2_000_000_000), rapid.Int64Range(-62_135_596_800, 253_402_300_799)).Draw(t, "sec")
		return time.Unix(sec, rapid.Int64Range(0, 999_999_999).Draw(t, "nano")).UTC()
	})
	sizes = rapid.SampledFrom([]int{-1, 0, 1, 1, 2, 3}) // -1: nil
	maybe = rapid.Bool()
)

func draw(t *rapid.T, v reflect.Value, label string) {
	if v.Type() == reflect.TypeFor[time.Time]() {
		if maybe.Draw(t, label) {
			v.Set(reflect.ValueOf(times.Draw(t, label)))
		}
		return
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString(texts.Draw(t, label))
	case reflect.Bool:
		v.SetBool(maybe.Draw(t, label))
	case reflect.Int, reflect.Int64:
		v.SetInt(rapid.Int64().Draw(t, label))
	case reflect.Pointer:
		if maybe.Draw(t, label) {
			v.Set(reflect.New(v.Type().Elem()))
			draw(t, v.Elem(), label)
		}
	case reflect.Slice:
		if n := sizes.Draw(t, label); n >= 0 {
			v.Set(reflect.MakeSlice(v.Type(), n, n))
			for i := range n {
				draw(t, v.Index(i), label)
			}
		}
	case reflect.Map:
		if n := sizes.Draw(t, label); n >= 0 {
			v.Set(reflect.MakeMap(v.Type()))
			for range n {
				key, val := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
				draw(t, key, label)
				draw(t, val, label)
				v.SetMapIndex(key, val)
			}
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if f := v.Type().Field(i); f.Tag.Get("json") != "-" {
				draw(t, v.Field(i), f.Name)
			}
		}
	default:
		panic(fmt.Sprintf("storetest: nothing is drawn for the %s %s: teach it", v.Type(), label))
	}
}

// Sample returns the one value of a type in which every field is set, each to something that depends on its name alone, so
// that a field more or less changes nothing else.
func Sample[T any]() T {
	var v T
	sample(reflect.ValueOf(&v).Elem(), "")
	return v
}

func sample(v reflect.Value, path string) {
	h := fnv.New32a()
	h.Write([]byte(path)) //nolint:errcheck // a hash takes everything
	n := int64(h.Sum32() % 100_000)
	if v.Type() == reflect.TypeFor[time.Time]() {
		v.Set(reflect.ValueOf(Noon.Add(time.Duration(n) * time.Minute)))
		return
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString(path)
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int, reflect.Int64:
		v.SetInt(n + 1)
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		sample(v.Elem(), path)
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		for i := range 2 {
			sample(v.Index(i), fmt.Sprintf("%s[%d]", path, i))
		}
	case reflect.Map:
		v.Set(reflect.MakeMap(v.Type()))
		key, val := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
		sample(key, path+" key")
		sample(val, path+" value")
		v.SetMapIndex(key, val)
	case reflect.Struct:
		for i := range v.NumField() {
			if f := v.Type().Field(i); f.Tag.Get("json") != "-" {
				sample(v.Field(i), path+"/"+f.Name)
			}
		}
	default:
		panic(fmt.Sprintf("storetest: there is no sample of the %s %s: teach it", v.Type(), path))
	}
}
