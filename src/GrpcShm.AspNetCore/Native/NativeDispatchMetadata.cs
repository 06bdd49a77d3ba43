namespace GrpcShm.AspNetCore.Native;

/// <summary>Marks an endpoint whose calls are to be dispatched natively, if nothing is against it.</summary>
internal sealed class NativeDispatchMetadata
{
    public static readonly NativeDispatchMetadata Instance = new();

    private static volatile bool _isUsed;

    private NativeDispatchMetadata()
    {
    }

    /// <summary>
    /// True if any application of this process has asked for native dispatch. Otherwise no endpoint needs to be looked
    /// at: to look at an endpoint builds it, and then the application can add no more conventions to it.
    /// </summary>
    public static bool IsUsed => _isUsed;

    public static void NoteUse() => _isUsed = true;

    public override string ToString() => "Native dispatch";
}
