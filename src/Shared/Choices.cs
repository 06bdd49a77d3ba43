using System.Globalization;

namespace GrpcShm;

/// <summary>Options that are one of several named values.</summary>
/// <remarks>Compiled into each library that has such options.</remarks>
internal static class Choices
{
    /// <summary>Refuses a number that has no name, which a cast or a configuration file may bring.</summary>
    /// <param name="value">The value of the option.</param>
    /// <param name="name">The name of the option.</param>
    /// <exception cref="ArgumentOutOfRangeException">The value has no name.</exception>
    public static TEnum Check<TEnum>(TEnum value, string name)
        where TEnum : struct, Enum =>
        Enum.IsDefined(value)
            ? value
            : throw new ArgumentOutOfRangeException(
                name, value, $"{name} cannot be {value}. It is one of {List<TEnum>()}.");

    /// <summary>Checks the text of an option in a configuration, which may be a name or a number.</summary>
    /// <returns>Nothing if the text stands for a value with a name; else the mistake, as a sentence.</returns>
    public static string? FindMistake<TEnum>(string text, string name)
        where TEnum : struct, Enum =>
        Enum.TryParse<TEnum>(text, ignoreCase: true, out var value) && Enum.IsDefined(value)
            ? null
            : $"'{name}' is '{text}'. It has to be one of {List<TEnum>()}.";

    /// <summary>Finds the bits of an option that have no name, if the names of the option can be combined.</summary>
    /// <returns>Nothing if each bit has a name; else the mistake, as a sentence.</returns>
    public static string? FindMistake<TEnum>(TEnum value, string name)
        where TEnum : struct, Enum
    {
        var named = 0L;
        foreach (var known in Enum.GetValues<TEnum>())
        {
            named |= Convert.ToInt64(known, CultureInfo.InvariantCulture);
        }

        var number = Convert.ToInt64(value, CultureInfo.InvariantCulture);
        var unnamed = number & ~named;
        return unnamed == 0
            ? null
            : $"{name} is {number}, and the bits 0x{unnamed:x} of it have no meaning. It may be any of "
                + $"{List<TEnum>()}, and any of them together.";
    }

    private static string List<TEnum>()
        where TEnum : struct, Enum => string.Join(", ", Enum.GetNames<TEnum>());
}
