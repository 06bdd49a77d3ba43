using System.Globalization;

namespace GrpcShm.Client.Native;

/// <summary>
/// Writes the value of the header <c>grpc-timeout</c>: up to eight digits and a unit, by gRPC's "PROTOCOL-HTTP2". Most
/// callers give each call the same time, so the last text is kept. Any thread.
/// </summary>
internal sealed class TimeoutTexts
{
    private const long MaxNumber = 99_999_999;

    private Entry? _last;

    /// <summary>Writes a time, rounded up: the server must not give up before the client does.</summary>
    public string Format(TimeSpan time)
    {
        if (time <= TimeSpan.Zero)
        {
            return "1n";
        }

        var milliseconds = (time.Ticks + TimeSpan.TicksPerMillisecond - 1) / TimeSpan.TicksPerMillisecond;
        if (_last is { } last && last.Milliseconds == milliseconds)
        {
            return last.Text;
        }

        var text = Write(milliseconds);
        _last = new Entry(milliseconds, text);
        return text;
    }

    private static string Write(long milliseconds)
    {
        if (milliseconds <= MaxNumber)
        {
            return string.Create(CultureInfo.InvariantCulture, $"{milliseconds}m");
        }

        var seconds = (milliseconds + 999) / 1000;
        return string.Create(CultureInfo.InvariantCulture, $"{Math.Min(seconds, MaxNumber)}S");
    }

    private sealed record Entry(long Milliseconds, string Text);
}
