using System.Text;
using GrpcShm.Transport.Calls;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Primitives;

namespace GrpcShm.AspNetCore.Direct;

/// <summary>
/// Reads the values of headers and trailers in the encodings that the server's options give for them, if they give any.
/// They are foreign code, so this is not for the thread that receives.
/// </summary>
internal static class RequestDecoding
{
    // Equal to this for all who have set no selector.
    private static readonly Func<string, Encoding?> Default = new KestrelServerOptions().RequestHeaderEncodingSelector;

    /// <summary>Decodes what has an encoding of its own.</summary>
    /// <exception cref="MalformedCallException">A value is not what it may be.</exception>
    public static void Decode(HeaderDictionary headers, KestrelServerOptions options)
    {
        var selector = options.RequestHeaderEncodingSelector;
        if (selector == Default)
        {
            return;
        }

        foreach (var (name, values) in headers.ToList())
        {
            if (selector(name) is { } encoding)
            {
                headers[name] = new StringValues([.. values.Select(value => Decode(encoding, name, value!))]);
            }
        }
    }

    // What came was UTF-8, so its bytes are known.
    private static string Decode(Encoding encoding, string name, string value)
    {
        var decoded = encoding.GetString(Encoding.UTF8.GetBytes(value));
        return !decoded.AsSpan().ContainsAny('\0', '\r', '\n')
            ? decoded
            : throw new MalformedCallException(
                CallError.Protocol,
                $"The value of the header '{PeerText.Clean(name)}' has a line break or a zero in it.");
    }
}
