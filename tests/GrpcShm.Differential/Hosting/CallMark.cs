using System.Globalization;

namespace GrpcShm.Differential.Hosting;

/// <summary>
/// The header x-case of a request: its number, the way by which it was sent, and the task of the application.
/// </summary>
/// <param name="Number">The request's number.</param>
/// <param name="Side">d for direct mode, k for Kestrel.</param>
/// <param name="Attempt">The number of the attempt: a request may be sent several times.</param>
/// <param name="Reading">The way in which the application reads the body.</param>
/// <param name="IsEndSeparate">True if it has no body and a separate second piece says so. The application may or may
/// not see this in time.</param>
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
