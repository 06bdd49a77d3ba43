using System.Collections;
using System.Globalization;
using System.Reflection;

namespace GrpcShm.OptionsReference;

/// <summary>Compares the default that the documentation names with the value of a new instance.</summary>
internal static class DefaultText
{
    /// <summary>What every sentence about a default begins with.</summary>
    public const string Beginning = "Defaults to ";

    /// <summary>Whether the text names the value.</summary>
    /// <param name="option">The option.</param>
    /// <param name="value">Its value in a new instance.</param>
    /// <param name="text">The text behind <see cref="Beginning"/>.</param>
    public static bool Says(PropertyInfo option, object? value, string text) => value switch
    {
        null => text.StartsWith("`null`", StringComparison.Ordinal),
        bool flag => text.StartsWith(flag ? "`true`" : "`false`", StringComparison.Ordinal),
        int or long => Quantity.ReadBeginning(text) == Convert.ToInt64(value, CultureInfo.InvariantCulture),
        TimeSpan time when time == Timeout.InfiniteTimeSpan =>
            text.StartsWith("`Timeout.InfiniteTimeSpan`", StringComparison.Ordinal),
        TimeSpan time => Quantity.ReadBeginning(text) == time.Ticks,
        UnixFileMode mode => text.StartsWith($"0{Convert.ToString((int)mode, 8)}", StringComparison.Ordinal),
        Enum => text.StartsWith($"`{option.PropertyType.Name}.{value}`", StringComparison.Ordinal),
        "" => text.StartsWith("the empty string", StringComparison.Ordinal),
        ICollection { Count: 0 } => text.StartsWith("none", StringComparison.Ordinal),

        // Values that no text can have in full: words describe them.
        _ => true,
    };
}
