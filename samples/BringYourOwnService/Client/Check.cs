namespace Samples.BringYourOwnService.Client;

/// <summary>The result of one check: a feature that must work as before.</summary>
internal sealed record Check(string What, string Expected, string Actual)
{
    public bool IsPassed => Expected == Actual;
}
