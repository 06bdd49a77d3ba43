namespace GrpcShm.Transport.Handshake;

/// <summary>What a client may ask for beside the mode, as bits; those unknown to a server are ignored.</summary>
[Flags]
internal enum ConnectionFeatures : uint
{
    None = 0,

    /// <summary>Each frame has a checksum. In direct mode only.</summary>
    Checksums = 1,
}
