using System.Runtime.InteropServices;

namespace GrpcShm.Transport.Platform;

/// <summary>
/// Owns a mapping of shared memory. The memory is unmapped when this object is disposed of or collected.
/// </summary>
internal abstract unsafe class MappedMemory : SafeHandle
{
    protected MappedMemory(nint address, long length)
        : base(0, ownsHandle: true)
    {
        SetHandle(address);
        Length = length;
    }

    public byte* Pointer => (byte*)handle;

    public long Length { get; }

    public override bool IsInvalid => handle == 0;
}
