namespace GrpcShm.AspNetCore.Native;

/// <summary>Says what an endpoint asks for: to be dispatched natively, or not to be.</summary>
internal sealed class NativeDispatchMetadata
{
    public static readonly NativeDispatchMetadata Wanted = new(isWanted: true);

    public static readonly NativeDispatchMetadata Unwanted = new(isWanted: false);

    private static volatile bool _isUsed;

    private NativeDispatchMetadata(bool isWanted) => IsWanted = isWanted;

    /// <summary>
    /// True if any application of this process has asked for native dispatch. A server without native dispatch then has
    /// to tell those that have. Otherwise it needs no look at the endpoints.
    /// </summary>
    public static bool IsUsed => _isUsed;

    public bool IsWanted { get; }

    public static void NoteUse() => _isUsed = true;

    public override string ToString() => IsWanted ? "Native dispatch" : "No native dispatch";
}
