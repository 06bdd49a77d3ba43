using System.Reflection;
using System.Runtime.InteropServices;
using GrpcShm.Transport.Platform.Linux;

namespace GrpcShm.Transport.Tests.Platform;

/// <summary>
/// The functions that the libraries import from the C library are in the oldest C libraries that .NET 10 supports:
/// glibc 2.27 and musl 1.2.3 (<c>release-notes/10.0/supported-os.md</c> of dotnet/core). A missing function shows only
/// at its first call, on any thread; on a reactor's thread it ends the process.
/// </summary>
public sealed class NativeImportTests
{
    private static readonly Version OldestGlibc = new(2, 27);
    private static readonly Version OldestMusl = new(1, 2, 3);

    // The first release that has the function, on x64: of glibc by the version of its symbol, of musl by its release
    // notes. On arm64 functions that are older than its port are there since the port (glibc 2.17).
    private static readonly Dictionary<string, (Version Glibc, Version Musl)> FirstReleases = new()
    {
        ["accept4"] = (new(2, 10), new(1, 0)),
        ["bind"] = (new(2, 2, 5), new(1, 0)),
        ["chmod"] = (new(2, 2, 5), new(1, 0)),
        ["clock_gettime"] = (new(2, 17), new(1, 0)),
        ["close"] = (new(2, 2, 5), new(1, 0)),
        ["connect"] = (new(2, 2, 5), new(1, 0)),
        ["epoll_create1"] = (new(2, 9), new(1, 0)),
        ["epoll_ctl"] = (new(2, 3, 2), new(1, 0)),
        ["epoll_wait"] = (new(2, 3, 2), new(1, 0)),
        ["eventfd"] = (new(2, 7), new(1, 0)),
        ["fcntl"] = (new(2, 2, 5), new(1, 0)),
        ["flock"] = (new(2, 2, 5), new(1, 0)),
        ["fstatfs"] = (new(2, 2, 5), new(1, 0)),
        ["ftruncate"] = (new(2, 2, 5), new(1, 0)),
        ["geteuid"] = (new(2, 2, 5), new(1, 0)),
        ["getpwuid_r"] = (new(2, 2, 5), new(1, 0)),
        ["getrlimit"] = (new(2, 2, 5), new(1, 0)),
        ["getsockname"] = (new(2, 2, 5), new(1, 0)),
        ["getsockopt"] = (new(2, 2, 5), new(1, 0)),
        ["listen"] = (new(2, 2, 5), new(1, 0)),
        ["lseek"] = (new(2, 2, 5), new(1, 0)),
        ["memfd_create"] = (new(2, 27), new(1, 1, 20)),
        ["mkdir"] = (new(2, 2, 5), new(1, 0)),
        ["mmap"] = (new(2, 2, 5), new(1, 0)),
        ["munmap"] = (new(2, 2, 5), new(1, 0)),
        ["nanosleep"] = (new(2, 2, 5), new(1, 0)),
        ["open"] = (new(2, 2, 5), new(1, 0)),
        ["posix_fallocate"] = (new(2, 2, 5), new(1, 0)),
        ["pread"] = (new(2, 2, 5), new(1, 0)),
        ["pwrite"] = (new(2, 2, 5), new(1, 0)),
        ["readlink"] = (new(2, 2, 5), new(1, 0)),
        ["recvmsg"] = (new(2, 2, 5), new(1, 0)),
        ["sendmsg"] = (new(2, 2, 5), new(1, 0)),
        ["shutdown"] = (new(2, 2, 5), new(1, 0)),
        ["socket"] = (new(2, 2, 5), new(1, 0)),
        ["syscall"] = (new(2, 2, 5), new(1, 0)),
        ["unlink"] = (new(2, 2, 5), new(1, 0)),
        ["write"] = (new(2, 2, 5), new(1, 0)),
    };

    private static readonly string[] Libraries =
    [
        "GrpcShm.Transport",
        "GrpcShm.Client",
        "GrpcShm.AspNetCore",
        "GrpcShm.Loans",
        "GrpcShm.EventBus",
        "GrpcShm.EventBus.Hub",
        "GrpcShm.EventBus.SharedMemory",
    ];

    public static TheoryData<string> Functions =>
        [.. Imports().Select(i => i.EntryPoint!).Distinct().Order(StringComparer.Ordinal)];

    [Theory]
    [MemberData(nameof(Functions))]
    public void Import_OldestSupportedLibraries_HaveIt(string function)
    {
        Assert.True(FirstReleases.TryGetValue(function, out var first), $"Look up since when '{function}' is there.");
        Assert.True(
            first.Glibc <= OldestGlibc, $"'{function}' came with glibc {first.Glibc}: call it by its number (Kernel).");
        Assert.True(
            first.Musl <= OldestMusl, $"'{function}' came with musl {first.Musl}: call it by its number (Kernel).");

        // Neither table has a misspelled name.
        Assert.True(
            NativeLibrary.TryGetExport(NativeLibrary.Load("libc", typeof(Libc).Assembly, null), function, out _));
    }

    [Fact]
    public void Imports_TableAndLibraries_NameTheSame() =>
        Assert.Equal(FirstReleases.Keys.Order(StringComparer.Ordinal), Functions.Select(f => f.Data));

    [Fact]
    public void Imports_AreOfTheCLibraryAlone() => Assert.All(Imports(), import => Assert.Equal("libc", import.Value));

    [Fact]
    public void Stat_FilesOfAllKinds_IsWhatTheSystemSays()
    {
        using var temp = new TempDirectory();
        File.WriteAllText(temp.File("file"), "x");
        File.SetUnixFileMode(temp.File("file"), (UnixFileMode)0x1A4);
        File.CreateSymbolicLink(temp.File("link"), temp.File("file"));

        Assert.Equal(0, Kernel.Stat(temp.File("file"), follow: false, out var file));
        Assert.Equal((UnixFileMode)0x1A4, file.Rights);
        Assert.Equal(Libc.EffectiveUserId(), file.UserId);
        Assert.False(file.IsDirectory || file.IsSocket);
        Assert.Equal(0, Kernel.Stat(temp.File("link"), follow: true, out var followed));
        Assert.True(followed.IsSameFileAs(file));
        Assert.Equal(0, Kernel.Stat(temp.File("link"), follow: false, out var link));
        Assert.False(link.IsSameFileAs(file));

        using var open = Libc.Open(temp.File("file"), Libc.O_RDWR | Libc.O_CLOEXEC, 0);
        Assert.Equal(0, Kernel.Stat(open, out var here));
        Assert.True(here.IsSameFileAs(file));

        using var socket = ForeignSocket.Bind(temp.File("socket"), System.Net.Sockets.SocketType.Stream);
        Assert.Equal(0, Kernel.Stat(temp.File("socket"), follow: false, out var bound));
        Assert.True(bound.IsSocket);
        Assert.Equal(0, Kernel.Stat(temp.Path, follow: false, out var directory));
        Assert.True(directory.IsDirectory);
        Assert.Equal(directory.Device, file.Device);
        Assert.Equal(Libc.ENOENT, Kernel.Stat(temp.File("none"), follow: true, out _));
    }

    [Fact]
    public void CurrentThreadId_IsOneOfThisProcessesThreads() =>
        Assert.True(Directory.Exists($"/proc/self/task/{Kernel.CurrentThreadId()}"));

    private static IEnumerable<DllImportAttribute> Imports() =>
        from library in Libraries
        from type in Assembly.Load(library).GetTypes()
        from method in type.GetMethods(
            BindingFlags.Static
            | BindingFlags.Instance
            | BindingFlags.Public
            | BindingFlags.NonPublic
            | BindingFlags.DeclaredOnly)
        let import = method.GetCustomAttribute<DllImportAttribute>()
        where import is not null
        select import;
}
