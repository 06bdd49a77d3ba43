using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;

namespace GrpcShm.AspNetCore.Direct;

/// <summary>
/// Collects the fields of a block as they come. When all have come, they are put into a dictionary: in the order in
/// which Kestrel shows them, and each name once. So a name that comes a thousand times costs no more than a thousand
/// names.
/// </summary>
internal sealed class RequestFields
{
    // A larger array is not kept for the next call.
    private const int MostKept = 64;

    private Field[] _fields = new Field[16];
    private int _count;
    private int _greatest = int.MinValue;
    private bool _isOrdered = true;

    public void Add(string name, string value, int order)
    {
        if (_count == _fields.Length)
        {
            Array.Resize(ref _fields, _count * 2);
        }

        _fields[_count++] = new Field(name, value, order);
        _isOrdered &= order >= _greatest;
        _greatest = Math.Max(_greatest, order);
    }

    /// <summary>Puts the fields into an empty dictionary, and forgets them.</summary>
    public void MoveTo(HeaderDictionary headers)
    {
        var fields = _fields.AsSpan(0, _count);
        if (!_isOrdered)
        {
            Sort(fields);
        }

        foreach (ref readonly var field in fields)
        {
            Set(headers, field);
        }

        if (headers.Count < fields.Length)
        {
            SetRepeated(headers, fields);
        }

        Clear();
    }

    public void Clear()
    {
        if (_fields.Length > MostKept)
        {
            _fields = new Field[16];
        }
        else
        {
            _fields.AsSpan(0, _count).Clear();
        }

        _count = 0;
        _greatest = int.MinValue;
        _isOrdered = true;
    }

    private static void Set(HeaderDictionary headers, in Field field)
    {
        if (field.Value.Length > 0)
        {
            headers[field.Name] = field.Value;
        }
        else if (!headers.ContainsKey(field.Name))
        {
            // Setting a header to an empty value would remove it. Adding an empty value does not.
            headers.Add(field.Name, field.Value);
        }
    }

    // Keeps the order of fields that compare equal. Most requests have a handful of fields, nearly in order.
    private static void Sort(Span<Field> fields)
    {
        if (fields.Length > MostKept)
        {
            var sorted = fields.ToArray().OrderBy(static field => field.Order).ToArray();
            sorted.CopyTo(fields);
            return;
        }

        for (var i = 1; i < fields.Length; i++)
        {
            var field = fields[i];
            var to = i;
            for (; to > 0 && fields[to - 1].Order > field.Order; to--)
            {
                fields[to] = fields[to - 1];
            }

            fields[to] = field;
        }
    }

    private static void SetRepeated(HeaderDictionary headers, ReadOnlySpan<Field> fields)
    {
        var values = new Dictionary<string, List<string>>(StringComparer.OrdinalIgnoreCase);
        foreach (ref readonly var field in fields)
        {
            if (!values.TryGetValue(field.Name, out var ofName))
            {
                values.Add(field.Name, ofName = []);
            }

            ofName.Add(field.Value);
        }

        foreach (var (name, ofName) in values)
        {
            if (ofName.Count > 1)
            {
                // As in HTTP/2, a cookie may come in pieces, which are joined.
                headers[name] = name == "Cookie" ? string.Join("; ", ofName) : new StringValues([.. ofName]);
            }
        }
    }

    private readonly record struct Field(string Name, string Value, int Order);
}
