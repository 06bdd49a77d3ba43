using System.Buffers;
using System.Globalization;
using System.Text;
using Grpc.Core;

namespace GrpcShm.AspNetCore.Native;

/// <summary>Writes a status as the fields <c>grpc-status</c> and <c>grpc-message</c> have it.</summary>
internal static class StatusText
{
    // By gRPC's "Responses": 'Percent-Byte-Unencoded' is a space to '~', without '%'.
    private static readonly SearchValues<char> Unencoded =
        SearchValues.Create([.. Enumerable.Range(' ', '~' - ' ' + 1).Select(static c => (char)c).Where(c => c != '%')]);

    private static readonly string[] Codes =
        [.. Enumerable.Range(0, 17).Select(static code => code.ToString(CultureInfo.InvariantCulture))];

    public static string Of(StatusCode code) =>
        (uint)code < (uint)Codes.Length ? Codes[(int)code] : ((int)code).ToString(CultureInfo.InvariantCulture);

    /// <summary>Encodes a detail; nothing if there is none.</summary>
    public static string? Encode(string? detail)
    {
        if (string.IsNullOrEmpty(detail))
        {
            return null;
        }

        if (!detail.AsSpan().ContainsAnyExcept(Unencoded))
        {
            return detail;
        }

        var text = new StringBuilder(detail.Length * 2);
        foreach (var b in Encoding.UTF8.GetBytes(detail))
        {
            if (Unencoded.Contains((char)b))
            {
                text.Append((char)b);
            }
            else
            {
                text.Append('%').Append(b.ToString("X2", CultureInfo.InvariantCulture));
            }
        }

        return text.ToString();
    }
}
