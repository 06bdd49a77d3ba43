using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;

namespace GrpcShm.AspNetCore.Direct;

/// <summary>
/// The fields of a block as they come. They are put into a dictionary when all of them are there: in the order in which
/// Kestrel shows them, and each name once, so that it costs no more to have one name a thousand times than to have a
/// thousand names.
/// </summary>
internal sealed class RequestFields
{
    // More are given back after the call.
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
            // To set a header to nothing removes it. To add one does not.
            headers.Add(field.Name, field.Value);
        }
    }

    // Keeps the order of equal ones. Most requests have a handful of fields, nearly in order.
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
                // As HTTP/2 has it: a cookie may come in pieces, and is one.
                headers[name] = name == "Cookie" ? string.Join("; ", ofName) : new StringValues([.. ofName]);
            }
        }
    }

    private readonly record struct Field(string Name, string Value, int Order);
}
