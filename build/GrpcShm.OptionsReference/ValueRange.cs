using System.Text.RegularExpressions;

namespace GrpcShm.OptionsReference;

/// <summary>
/// The values that an option takes, as its element <c>value</c> says: <c>1 to 64.</c>, <c>1 or more.</c>,
/// <c>More than zero, up to 1 hour.</c>, <c>A power of two, 4 KiB to 64 MiB.</c>; each may have another clause behind
/// it.
/// </summary>
/// <param name="Least">The least amount; times are in ticks.</param>
/// <param name="Most">The largest amount; <see langword="null"/> for no bound but the type's.</param>
internal sealed partial record ValueRange(long Least, long? Most)
{
    /// <summary>Reads a range.</summary>
    /// <returns><see langword="null"/> if the text has another form.</returns>
    public static ValueRange? Read(string text)
    {
        if (FromTo().Match(text) is { Success: true } range)
        {
            return new ValueRange(
                Quantity.Read(range.Groups["least"].Value), Quantity.Read(range.Groups["most"].Value));
        }

        if (OrMore().Match(text) is { Success: true } bound)
        {
            return new ValueRange(Quantity.Read(bound.Groups["least"].Value), null);
        }

        return MoreThanZero().Match(text) is { Success: true } positive
            ? new ValueRange(1, Quantity.Read(positive.Groups["most"].Value))
            : null;
    }

    [GeneratedRegex($"^(A power of two, )?(?<least>{Quantity.Pattern}) to (?<most>{Quantity.Pattern})[.,;]")]
    private static partial Regex FromTo();

    [GeneratedRegex($"^(?<least>{Quantity.Pattern}) or more[.,;]")]
    private static partial Regex OrMore();

    [GeneratedRegex($"^More than zero, up to (?<most>{Quantity.Pattern})[.,;]")]
    private static partial Regex MoreThanZero();
}
