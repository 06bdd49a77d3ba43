using System.Globalization;

namespace Samples.Stress;

/// <summary>
/// Durations as people write them: <c>500ms</c>, <c>30s</c>, <c>5m</c>, <c>24h</c>, or a plain number of seconds.
/// </summary>
internal static class Durations
{
    private static readonly (string Unit, TimeSpan Length)[] Units =
    [
        ("ms", TimeSpan.FromMilliseconds(1)),
        ("s", TimeSpan.FromSeconds(1)),
        ("m", TimeSpan.FromMinutes(1)),
        ("h", TimeSpan.FromHours(1)),
        ("", TimeSpan.FromSeconds(1)),
    ];

    public static bool TryParse(string text, out TimeSpan duration)
    {
        var (unit, length) = Units.First(one => text.EndsWith(one.Unit, StringComparison.Ordinal));
        var isNumber = double.TryParse(
                text[..^unit.Length], NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var number)
            && number * length.TotalDays <= 366;
        duration = isNumber ? number * length : TimeSpan.Zero;
        return duration > TimeSpan.Zero;
    }
}
