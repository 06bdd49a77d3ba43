using System.Collections;
using GrpcShm.AspNetCore.Direct;

namespace GrpcShm.AspNetCore.Native.Diagnostics;

/// <summary>
/// The scope of a request's log lines, as hosting has it. Most requests log nothing, so its texts are made when a
/// logger asks for them. A logger may keep it beyond the end of the request.
/// </summary>
internal sealed class RequestLogScope(string connectionId, long number, string path)
    : IReadOnlyList<KeyValuePair<string, object>>
{
    private string? _identifier;
    private string? _text;

    public int Count => 2;

    private string Identifier => _identifier ??= ServerCall.FormatIdentifier(connectionId, number);

    public KeyValuePair<string, object> this[int index] => index switch
    {
        0 => new("RequestId", Identifier),
        1 => new("RequestPath", path),
        _ => throw new ArgumentOutOfRangeException(nameof(index)),
    };

    public IEnumerator<KeyValuePair<string, object>> GetEnumerator()
    {
        yield return this[0];
        yield return this[1];
    }

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    public override string ToString() => _text ??= $"RequestPath:{path} RequestId:{Identifier}";
}
