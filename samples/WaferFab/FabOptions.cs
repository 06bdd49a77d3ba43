namespace Samples.WaferFab;

/// <summary>What a run is to do.</summary>
/// <param name="Transport">What carries the events.</param>
/// <param name="Wafers">How many wafers are in the carrier.</param>
/// <param name="Victim">The tool that is killed on the way, or <see langword="null"/> for none.</param>
/// <param name="Json">Whether to print the result as JSON and nothing else.</param>
internal sealed record FabOptions(TransportKind Transport, int Wafers, string? Victim, bool Json)
{
    /// <summary>The transport, as it is called on the command line.</summary>
    public string TransportName => Transport.ToString().ToLower(System.Globalization.CultureInfo.InvariantCulture);
}
