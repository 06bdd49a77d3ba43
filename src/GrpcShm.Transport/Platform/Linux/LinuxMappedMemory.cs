namespace GrpcShm.Transport.Platform.Linux;

internal sealed class LinuxMappedMemory : MappedMemory
{
    private LinuxMappedMemory(nint address, long length)
        : base(address, length)
    {
    }

    public static LinuxMappedMemory Map(SafeFileDescriptor file, long length)
    {
        // Without MAP_POPULATE: the server has allocated the pages, and to map all of them at once takes as long as all
        // other steps of making a connection. A connection that uses its rings pays a microsecond a page, once.
        var address = Libc.Map(0, (nuint)length, Libc.PROT_READ | Libc.PROT_WRITE, Libc.MAP_SHARED, file, 0);
        return address == -1
            ? throw LinuxError.Create($"Shared memory of {length} bytes cannot be mapped", "mmap", Libc.LastError)
            : new LinuxMappedMemory(address, length);
    }

    protected override bool ReleaseHandle() => Libc.Unmap(handle, (nuint)Length) == 0;
}
