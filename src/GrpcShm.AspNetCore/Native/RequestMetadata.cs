using Grpc.Core;
using Microsoft.AspNetCore.Http;
using HeaderNames = Microsoft.Net.Http.Headers.HeaderNames;

namespace GrpcShm.AspNetCore.Native;

/// <summary>Reads the headers of a request as gRPC's metadata.</summary>
internal static class RequestMetadata
{
    /// <summary>Reads the metadata: the headers, without those of the protocol itself.</summary>
    /// <exception cref="FormatException">A binary value is not base64.</exception>
    public static Metadata Read(IHeaderDictionary headers)
    {
        var metadata = new Metadata();
        foreach (var (name, values) in headers)
        {
            if (IsOfProtocol(name))
            {
                continue;
            }

            if (name.EndsWith(Metadata.BinaryHeaderSuffix, StringComparison.OrdinalIgnoreCase))
            {
                metadata.Add(name, Decode(values.ToString()));
            }
            else
            {
                metadata.Add(name, values.ToString());
            }
        }

        return metadata;
    }

    /// <summary>True if a list of encodings, parted by commas, has a name.</summary>
    public static bool Names(ReadOnlySpan<char> list, string name)
    {
        foreach (var part in list.Split(','))
        {
            if (list[part].Trim().SequenceEqual(name))
            {
                return true;
            }
        }

        return false;
    }

    // The padding may be left out, by gRPC's "Custom-Metadata".
    private static byte[] Decode(string value) => Convert.FromBase64String((value.Length % 4) switch
    {
        0 => value,
        2 => value + "==",
        3 => value + "=",
        _ => throw new FormatException("Invalid base64 header value"),
    });

    private static bool IsOfProtocol(string name) => name.Length switch
    {
        0 => true,
        _ when name[0] == ':' => true,
        2 => Is(name, HeaderNames.TE),
        4 => Is(name, HeaderNames.Host),
        12 => Is(name, HeaderNames.ContentType) || Is(name, HeaderNames.GrpcTimeout),
        13 => Is(name, HeaderNames.GrpcEncoding),
        15 => Is(name, HeaderNames.AcceptEncoding),
        16 => Is(name, HeaderNames.ContentEncoding),
        20 => Is(name, HeaderNames.GrpcAcceptEncoding),
        _ => false,
    };

    private static bool Is(string name, string other) => name.Equals(other, StringComparison.OrdinalIgnoreCase);
}
