using System.Text;
using GrpcShm.Transport.Calls;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Primitives;

namespace GrpcShm.AspNetCore.Direct;

/// <summary>
/// Decodes the values of headers and trailers in the encodings of the server's options, if these have any. Encodings
/// are foreign code, so the thread that receives must not run this.
/// </summary>
internal static class RequestDecoding
{
    // The selector of options in which nobody has set one is equal to this.
    private static readonly Func<string, Encoding?> Default = new KestrelServerOptions().RequestHeaderEncodingSelector;

    /// <summary>Decodes the values that have an encoding of their own.</summary>
    /// <exception cref="MalformedCallException">A decoded value has a line break or a zero in it.</exception>
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

    // The value came as UTF-8, so its bytes can be had again from the text.
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
