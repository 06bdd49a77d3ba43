using System.Globalization;
using System.Text.RegularExpressions;

namespace GrpcShm.OptionsReference;

/// <summary>
/// Amounts as the documentation writes them: <c>65,536</c>, <c>4 KiB</c>, <c>5 seconds</c>, <c>zero</c>. Times are in
/// ticks.
/// </summary>
internal static partial class Quantity
{
    /// <summary>A pattern of one amount, for the patterns of texts that have some.</summary>
    public const string Pattern = @"(?:[Zz]ero|\d[\d,]*(?: (?:KiB|MiB|GiB|ms|seconds?|minutes?|hours?|days?))?)";

    /// <summary>Reads the amount that a text begins with.</summary>
    /// <returns><see langword="null"/> if it begins with none.</returns>
    public static long? ReadBeginning(string text)
    {
        var match = Beginning().Match(text);
        return match.Success ? Read(match.Value) : null;
    }

    /// <summary>Reads an amount.</summary>
    public static long Read(string text)
    {
        if (text.Equals("zero", StringComparison.OrdinalIgnoreCase))
        {
            return 0;
        }

        var parts = text.Split(' ');
        var number = long.Parse(parts[0].Replace(",", "", StringComparison.Ordinal), CultureInfo.InvariantCulture);
        return number * (parts.Length == 1 ? 1 : UnitOf(parts[1].TrimEnd('s')));
    }

    private static long UnitOf(string unit) => unit switch
    {
        "KiB" => 1024,
        "MiB" => 1024 * 1024,
        "GiB" => 1024 * 1024 * 1024,
        "m" => TimeSpan.TicksPerMillisecond,
        "second" => TimeSpan.TicksPerSecond,
        "minute" => TimeSpan.TicksPerMinute,
        "hour" => TimeSpan.TicksPerHour,
        "day" => TimeSpan.TicksPerDay,
        _ => throw new FormatException($"'{unit}' is no unit."),
    };

    [GeneratedRegex("^" + Pattern + @"(?![\w,])")]
    private static partial Regex Beginning();
}
