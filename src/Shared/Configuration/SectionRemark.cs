namespace GrpcShm;

/// <summary>Keys of a section of the configuration that are no settings, but for people or for an editor.</summary>
/// <remarks>Compiled into each library that refuses the keys that it does not know.</remarks>
internal static class SectionRemark
{
    /// <summary>True for the keys of comments in JSON ("//", "_comment"), and for "$schema".</summary>
    public static bool Is(string key) => key is ['/' or '_' or '$', ..];
}
