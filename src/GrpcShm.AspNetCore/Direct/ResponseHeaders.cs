using System.Buffers;
using System.Collections;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Primitives;
using Microsoft.Net.Http.Headers;

namespace GrpcShm.AspNetCore.Direct;

/// <summary>
/// The headers or the trailers of a response. A value that may not be sent is refused when it is set, as in Kestrel: so
/// the handler's own line fails, and the client never gets the value.
/// </summary>
/// <param name="selector">Says which headers may have characters beyond ASCII, by the server's options.</param>
/// <param name="areTrailers">True if they are trailers, where a content-length has no meaning.</param>
internal sealed class ResponseHeaders(Func<string, Encoding?> selector, bool areTrailers) : IHeaderDictionary
{
    // The selector of options in which nobody has set one is equal to this.
    private static readonly Func<string, Encoding?> Default = new KestrelServerOptions().ResponseHeaderEncodingSelector;

    private static readonly SearchValues<char> NameCharacters =
        SearchValues.Create("!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ");

    private static readonly SearchValues<char> ValueCharacters =
        SearchValues.Create([.. Enumerable.Range(' ', '~' - ' ' + 1).Select(static c => (char)c), '\t']);

    private static readonly SearchValues<char> ForbiddenInText =
        SearchValues.Create(
            [.. Enumerable.Range(0, ' ').Where(static c => c != '\t').Select(static c => (char)c), '\u007f']);

    private readonly HeaderDictionary _headers = [];
    private long? _contentLength;

    public bool AreTrailers => areTrailers;

    public bool IsReadOnly { get; private set; }

    public int Count => _headers.Count;

    public ICollection<string> Keys => _headers.Keys;

    public ICollection<StringValues> Values => _headers.Values;

    public long? ContentLength
    {
        get => _contentLength;
        set
        {
            ThrowIfReadOnly();
            if (value < 0)
            {
                throw new ArgumentOutOfRangeException(nameof(value), value, "A length cannot be negative.");
            }

            _headers[HeaderNames.ContentLength] =
                value is { } length ? length.ToString(CultureInfo.InvariantCulture) : default(StringValues);
            _contentLength = value;
        }
    }

    public StringValues this[string key]
    {
        get => _headers[key];
        set
        {
            ThrowIfReadOnly();
            value = Check(key, value);
            _headers[key] = value;
        }
    }

    StringValues IDictionary<string, StringValues>.this[string key]
    {
        get => ((IDictionary<string, StringValues>)_headers)[key];
        set => this[key] = value;
    }

    public void Add(string key, StringValues value)
    {
        ThrowIfReadOnly();

        // A value that may not be sent is refused first, as in Kestrel. A content-length is checked later, since the
        // check stores the length.
        var isLength = IsContentLength(key);
        value = isLength ? value : Check(key, value);
        if (_headers.ContainsKey(key))
        {
            throw new ArgumentException($"The header '{key}' is there already.", nameof(key));
        }

        _headers[key] = isLength ? Check(key, value) : value;
    }

    public void Add(KeyValuePair<string, StringValues> item) => Add(item.Key, item.Value);

    public void Clear()
    {
        ThrowIfReadOnly();
        Reset();
    }

    public bool Remove(string key)
    {
        ThrowIfReadOnly();
        if (IsContentLength(key))
        {
            _contentLength = null;
        }

        return _headers.Remove(key);
    }

    public bool Remove(KeyValuePair<string, StringValues> item) => Contains(item) && Remove(item.Key);

    public bool Contains(KeyValuePair<string, StringValues> item) => _headers.Contains(item);

    public bool ContainsKey(string key) => _headers.ContainsKey(key);

    public bool TryGetValue(string key, [MaybeNullWhen(false)] out StringValues value) =>
        _headers.TryGetValue(key, out value);

    public void CopyTo(KeyValuePair<string, StringValues>[] array, int arrayIndex) =>
        _headers.CopyTo(array, arrayIndex);

    public HeaderDictionary.Enumerator GetEnumerator() => _headers.GetEnumerator();

    IEnumerator<KeyValuePair<string, StringValues>>
        IEnumerable<KeyValuePair<string, StringValues>>.GetEnumerator() => _headers.GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => _headers.GetEnumerator();

    /// <summary>Refuses changes from now on, since the headers have been sent, or are about to be.</summary>
    public void SetReadOnly() => IsReadOnly = true;

    /// <summary>Removes all headers, also if they were read-only, and takes new ones.</summary>
    public void Reset()
    {
        IsReadOnly = false;
        _headers.Clear();
        _contentLength = null;
    }

    private static bool IsDefault(Func<string, Encoding?> selector) => selector == Default;

    private bool IsContentLength(string name) =>
        !areTrailers && name.Length == HeaderNames.ContentLength.Length && name.Equals(
            HeaderNames.ContentLength, StringComparison.OrdinalIgnoreCase);

    private StringValues Check(string name, StringValues values)
    {
        if (string.IsNullOrEmpty(name) || name.AsSpan().ContainsAnyExcept(NameCharacters))
        {
            throw new InvalidOperationException(
                $"The header name '{name}' is empty, or has a character that HTTP does not allow in names.");
        }

        if (IsContentLength(name))
        {
            return CheckContentLength(values);
        }

        var count = values.Count;
        for (var i = 0; i < count; i++)
        {
            if (values[i] is { } value && value.AsSpan().ContainsAnyExcept(ValueCharacters) && !IsText(name, value))
            {
                throw new InvalidOperationException(
                    $"The value of the header '{name}' has a control character, or one that is not ASCII. If it is "
                    + "text, encode it, or let the server's ResponseHeaderEncodingSelector allow it.");
            }
        }

        return values;
    }

    private StringValues CheckContentLength(StringValues values)
    {
        if (values.Count == 0)
        {
            _contentLength = null;
            return values;
        }

        if (!HeaderUtilities.TryParseNonNegativeInt64(values.ToString(), out var length))
        {
            throw new InvalidOperationException(
                $"The content-length '{values}' is not a number of bytes. Set ContentLength instead.");
        }

        _contentLength = length;
        return length.ToString(CultureInfo.InvariantCulture);
    }

    private bool IsText(string name, string value) =>
        !IsDefault(selector) && selector(name) is not null && !value.AsSpan().ContainsAny(ForbiddenInText);

    private void ThrowIfReadOnly()
    {
        if (IsReadOnly)
        {
            throw new InvalidOperationException("The headers cannot be changed: the response has already started.");
        }
    }
}
