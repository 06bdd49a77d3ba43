using System.Globalization;

namespace GrpcShm.Differential.Hosting;

/// <summary>
/// What a request says of itself in the header x-case: which it is, which way it came, and what the application is to
/// do.
/// </summary>
/// <param name="Number">The request's number.</param>
/// <param name="Side">d for direct mode, k for Kestrel.</param>
/// <param name="Attempt">It may have been sent before.</param>
/// <param name="Reading">How its body is read.</param>
/// <param name="IsEndSeparate">
/// Whether it has no body and says so in a second piece only: whether the application is told so is a matter of luck.
/// </param>
internal readonly record struct CallMark(long Number, char Side, int Attempt, Reading Reading, bool IsEndSeparate)
{
    public const string Header = "x-case";

    public static bool TryParse(string? text, out CallMark mark)
    {
        mark = default;
        var parts = text?.Split('.') ?? [];
        if (parts.Length != 5
            || !long.TryParse(parts[0], NumberStyles.None, CultureInfo.InvariantCulture, out var number))
        {
            return false;
        }

        mark = new CallMark(
            number,
            parts[1][0],
            int.Parse(parts[2], CultureInfo.InvariantCulture),
            (Reading)int.Parse(parts[3], CultureInfo.InvariantCulture),
            parts[4] == "1");
        return true;
    }

    public override string ToString() =>
        string.Create(
            CultureInfo.InvariantCulture,
            $"{Number:D10}.{Side}.{Attempt:D2}.{(int)Reading:D2}.{(IsEndSeparate ? 1 : 0)}");
}
