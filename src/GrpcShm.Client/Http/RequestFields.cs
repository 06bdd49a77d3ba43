using System.Net.Http.Headers;
using GrpcShm.Transport.Calls;

namespace GrpcShm.Client.Http;

/// <summary>
/// Checks the header fields of a request: whether one of them keeps direct mode from carrying it, and whether the
/// needed ones are there.
/// </summary>
internal struct RequestFields
{
    private bool _hasTrailers;
    private bool _hasContentType;

    /// <summary>The header Host, which is sent as the authority.</summary>
    public string? Host { get; private set; }

    /// <summary>The reason why the fields are not enough, once all have been taken; nothing if they are.</summary>
    public readonly string? WhyIncomplete =>
        !_hasContentType ? "it has no content-type" : !_hasTrailers ? "it does not have 'te: trailers'" : null;

    /// <summary>Takes a field that has been checked before.</summary>
    public void TakeKnown(string name)
    {
        switch (name.Length)
        {
            case 2:
                _hasTrailers |= Is(name, "TE");
                break;
            case 12:
                _hasContentType |= Is(name, "Content-Type");
                break;
        }
    }

    /// <summary>Takes a field.</summary>
    /// <returns>The reason why direct mode does not carry a request with this field; nothing if it does.</returns>
    public string? Take(string name, string value)
    {
        if (value.AsSpan().ContainsAnyExceptInRange(' ', '~'))
        {
            return $"the value of its header '{name}' has a character that is not ASCII, or a control character";
        }

        switch (name.Length)
        {
            case 2 when Is(name, "TE"):
                _hasTrailers = value == GrpcRequestRules.Te;
                return _hasTrailers ? null : $"it has 'te: {value}'";
            case 4 when Is(name, "Host"):
                Host = value;
                return GrpcRequestRules.IsAuthority(value)
                    ? null
                    : $"its host '{value}' is not one that all servers understand in the same way";
            case 12 when Is(name, "Content-Type"):
                _hasContentType = GrpcRequestRules.IsContentType(value);
                return _hasContentType ? null : $"its content-type is '{value}'";
            case 6 when Is(name, "Expect"):
            case 7 when Is(name, "Upgrade"):
            case 10 when Is(name, "Connection") || Is(name, "Keep-Alive"):
            case 16 when Is(name, "Proxy-Connection"):
            case 17 when Is(name, "Transfer-Encoding"):
                return $"it has the header '{name}'";
            default:
                return null;
        }
    }

    /// <summary>Takes all fields of the request or of its content.</summary>
    /// <returns>The reason why direct mode does not carry a request with one of them; nothing if it does.</returns>
    public string? TakeAll(HttpHeaders headers)
    {
        foreach (var (name, values) in headers.NonValidated)
        {
            if (Take(name, values.ToString()) is { } reason)
            {
                return reason;
            }
        }

        return null;
    }

    private static bool Is(string name, string other) => name.Equals(other, StringComparison.OrdinalIgnoreCase);
}
