namespace Samples.BringYourOwnService.Client;

/// <summary>Something that must work as before.</summary>
internal sealed record Check(string What, string Expected, string Actual)
{
    public bool IsPassed => Expected == Actual;
}
