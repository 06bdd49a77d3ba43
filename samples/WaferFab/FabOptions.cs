namespace Samples.WaferFab;

/// <summary>The options of a run.</summary>
/// <param name="Transport">The transport of the events.</param>
/// <param name="Wafers">How many wafers are in the carrier.</param>
/// <param name="Victim">The tool that is killed during the run, or <see langword="null"/> for none.</param>
/// <param name="Json">True to print only the result, as JSON.</param>
internal sealed record FabOptions(TransportKind Transport, int Wafers, string? Victim, bool Json)
{
    /// <summary>The transport's name on the command line.</summary>
    public string TransportName => Transport.ToString().ToLower(System.Globalization.CultureInfo.InvariantCulture);
}
