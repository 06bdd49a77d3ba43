namespace GrpcShm;

/// <summary>Keys of a section of the configuration that are for people, or for an editor, and are no settings.</summary>
/// <remarks>Compiled into each library that refuses the keys that it does not know.</remarks>
internal static class SectionRemark
{
    /// <summary>True for the keys that people write comments under in JSON, as "//" and "_comment", and "$schema".</summary>
    public static bool Is(string key) => key is ['/' or '_' or '$', ..];
}
