namespace GrpcShm.Conformance.Tests.Modes;

/// <summary>
/// Calls that the client's channel frames by itself, and that the server dispatches natively without being asked.
/// </summary>
public sealed class SharedMemoryNativeBothMode : SharedMemoryNativeServerMode
{
    /// <inheritdoc/>
    public override string Name => "native on both sides";

    /// <inheritdoc/>
    protected override bool IsNative => true;

    /// <inheritdoc/>
    protected override string Dispatch => "ByItself";
}
