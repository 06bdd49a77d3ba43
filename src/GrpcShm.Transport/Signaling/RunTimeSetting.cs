using System.Globalization;

namespace GrpcShm.Transport.Signaling;

/// <summary>
/// A number that the run-time configuration of the process may set (<c>runtimeconfig.json</c>,
/// <c>RuntimeHostConfigurationOption</c> in a project).
/// </summary>
internal sealed record RunTimeSetting(string Name, int Default, int Least, int Most)
{
    /// <summary>Reads the number.</summary>
    /// <exception cref="InvalidOperationException">It is none, or too small or too large.</exception>
    public int Read()
    {
        var data = AppContext.GetData(Name);
        if (data is null)
        {
            return Default;
        }

        var text = Convert.ToString(data, CultureInfo.InvariantCulture);
        return int.TryParse(text, CultureInfo.InvariantCulture, out var value) && value >= Least && value <= Most
            ? value
            : throw new InvalidOperationException(
                $"The run-time setting '{Name}' is '{text}'; it has to be a number from {Least} to {Most}.");
    }
}
