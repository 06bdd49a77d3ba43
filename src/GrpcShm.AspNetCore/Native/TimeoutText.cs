using System.Globalization;
using Microsoft.Extensions.Primitives;

namespace GrpcShm.AspNetCore.Native;

/// <summary>Reads the header <c>grpc-timeout</c>: by gRPC's "Timeout", at most eight digits and a unit.</summary>
internal static class TimeoutText
{
    // The largest time that the header can say, in seconds. More, which hours and minutes can say, counts as this.
    private static readonly TimeSpan Most = TimeSpan.FromSeconds(99_999_999);

    /// <summary>Reads a time. One that cannot be read counts as none, as in grpc-dotnet.</summary>
    public static bool TryParse(StringValues values, out TimeSpan time)
    {
        time = TimeSpan.Zero;
        if (values is not [{ Length: >= 2 } text]
            || !int.TryParse(text.AsSpan(..^1), NumberStyles.None, CultureInfo.InvariantCulture, out var count))
        {
            return false;
        }

        time = text[^1] switch
        {
            'H' => TimeSpan.FromHours(count),
            'M' => TimeSpan.FromMinutes(count),
            'S' => TimeSpan.FromSeconds(count),
            'm' => TimeSpan.FromMilliseconds(count, 0),
            'u' => TimeSpan.FromMicroseconds(count),
            'n' => TimeSpan.FromTicks(count / TimeSpan.NanosecondsPerTick),
            _ => TimeSpan.Zero,
        };
        time = time > Most ? Most : time;
        return time > TimeSpan.Zero;
    }
}
