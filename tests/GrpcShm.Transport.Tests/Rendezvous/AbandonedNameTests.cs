using System.Collections.Concurrent;
using System.Globalization;
using System.Net.Sockets;
using GrpcShm.Transport.Platform;
using GrpcShm.Transport.Platform.Linux;

namespace GrpcShm.Transport.Tests.Rendezvous;

/// <summary>
/// A listener removes what is left of names that nobody uses in its directory, and nothing else.
/// </summary>
public sealed class AbandonedNameTests : IDisposable
{
    private const string Written = "4711 grpcshm\n";

    // A listener that waits so long is not done in the time that a test has.
    private static readonly TimeSpan Forever = TimeSpan.FromDays(1);

    private readonly TempDirectory _directory = new();
    private readonly List<RendezvousSocket> _listeners = [];

    private string OldLock => _directory.File("old.sock.lock");

    private string OldSocket => _directory.File("old.sock");

    public void Dispose()
    {
        _listeners.ForEach(static listener => listener.Dispose());
        _directory.Dispose();
    }

    [Fact]
    public void Listen_NameOfAListenerThatStopped_LeavesNoTrace()
    {
        Open("old").Dispose();
        Assert.True(File.Exists(OldLock));

        Listen("new");

        Assert.Equal(["new.sock", "new.sock.lock"], _directory.Files.Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Listen_NameOfAListenerThatWasKilled_LosesItsSocketToo()
    {
        Open("old").Dispose();
        MakeDeadSocket();
        Assert.True(File.Exists(OldSocket));

        Listen("new");

        Assert.Equal(["new.sock", "new.sock.lock"], _directory.Files.Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Listen_NameOfALiveListener_Stays()
    {
        var old = Listen("old");

        Listen("new");

        Assert.True(File.Exists(OldLock) && File.Exists(OldSocket));
        Assert.NotNull(TransportPlatform.Current.Connect(new SharedMemoryEndPoint("old"), _directory.Path, out _));
        Assert.NotNull(old.Accept());
    }

    [Fact]
    public async Task Listen_AnotherProcessHasTheName_StaysUntilThatEnds()
    {
        await WriteAsync(OldLock, Written);
        using (var holder = await LockHolder.StartAsync(OldLock))
        {
            Open("new").Dispose();
            Assert.True(File.Exists(OldLock));
            await holder.KillAsync();
        }

        Listen("new");

        Assert.False(File.Exists(OldLock));
    }

    [Theory]
    [InlineData("old.sock.lock", "4711\n")]
    [InlineData("old.sock.lock", "")]
    [InlineData("old.sock.lock", " grpcshm\n")]
    [InlineData("old.sock.lock", "x grpcshm\n")]
    [InlineData("old.sock.lock", "4711 grpcshm, and a text that is longer than what a listener writes\n")]
    [InlineData("old.lock", Written)]
    [InlineData("old.pid.lock", Written)]
    [InlineData(".old.sock.lock", Written)]
    [InlineData(".sock.lock", Written)]
    [InlineData("o d.sock.lock", Written)]
    [InlineData("old.sock", Written)]
    public async Task Listen_FileThatNoListenerHasWritten_Stays(string name, string text)
    {
        await WriteAsync(_directory.File(name), text);

        Listen("new");

        Assert.Equal(
            text, await File.ReadAllTextAsync(_directory.File(name), TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task Listen_LinkOrDirectoryInThePlaceOfALockFile_Stays()
    {
        var target = _directory.File("target");
        await WriteAsync(target, Written);
        File.CreateSymbolicLink(OldLock, target);
        Directory.CreateDirectory(_directory.File("directory.sock.lock"));

        Listen("new");

        Assert.NotNull(new FileInfo(OldLock).LinkTarget);
        Assert.True(File.Exists(target));
        Assert.True(Directory.Exists(_directory.File("directory.sock.lock")));
    }

    [Fact]
    public async Task Listen_FileOfAnotherUser_Stays()
    {
        await WriteAsync(OldLock, Written);
        if (OtherUser.IsAvailable)
        {
            OtherUser.Own(OldLock);
        }
        else
        {
            // A file that this user may not even lock.
            File.SetUnixFileMode(OldLock, UnixFileMode.None);
        }

        Listen("new");

        Assert.True(File.Exists(OldLock));
    }

    [Theory]
    [InlineData(SocketType.Stream, true)]
    [InlineData(SocketType.Stream, false)]
    [InlineData(SocketType.Seqpacket, true)]
    [InlineData(SocketType.Dgram, false)]
    public async Task Listen_AProgramHasTheSocketOpen_LeavesBothFilesAndIsNotHeardOf(SocketType type, bool listens)
    {
        await WriteAsync(OldLock, Written);
        using var foreign = ForeignSocket.Bind(OldSocket, type);
        if (listens)
        {
            foreign.Listen();
        }

        Listen("new");

        Assert.True(File.Exists(OldLock) && File.Exists(OldSocket));
        if (listens)
        {
            Assert.False(foreign.Poll(0, SelectMode.SelectRead), "The program got a client.");
        }
    }

    [Fact]
    public async Task Listen_FileBesideTheLockIsNoSocket_LeavesBoth()
    {
        await WriteAsync(OldLock, Written);
        await WriteAsync(OldSocket, "precious");

        Listen("new");

        Assert.True(File.Exists(OldLock) && File.Exists(OldSocket));
    }

    [Fact]
    public async Task Listen_ByPath_RemovesNothingInADirectoryThatIsNotOfNames()
    {
        await WriteAsync(OldLock, Written);

        Listen(_directory.File("new.sock"));

        Assert.True(File.Exists(OldLock));
    }

    [Fact]
    public async Task Listen_MoreFilesThanOneListenerLooksAt_AreLeftToTheNext()
    {
        const int TooMany = 10;
        for (var i = 0; i < AbandonedNames.MaxNames + TooMany; i++)
        {
            await WriteAsync(_directory.File(string.Create(CultureInfo.InvariantCulture, $"n{i}.sock.lock")), Written);
        }

        Listen("first");
        Assert.InRange(_directory.Files.Count(), TooMany + 2, TooMany + 2 + 2);
        Listen("second");

        Assert.Equal(4, _directory.Files.Count());
    }

    [Fact]
    public async Task Listen_MoreNamesThatStayThanOneListenerExamines_ReachesTheOthersInTheEnd()
    {
        // Lock files that no listener has written.
        for (var i = 0; i < 2 * AbandonedNames.MaxNames; i++)
        {
            await WriteAsync(_directory.File(string.Create(CultureInfo.InvariantCulture, $"s{i}.sock.lock")), "");
        }

        const int Abandoned = 20;
        for (var i = 0; i < Abandoned; i++)
        {
            await WriteAsync(_directory.File(string.Create(CultureInfo.InvariantCulture, $"n{i}.sock.lock")), Written);
        }

        // Each listener reaches about half of the names, so that it is next to impossible that all miss the same one.
        for (var i = 0; i < 80 && CountAbandoned() > 0; i++)
        {
            Open("new").Dispose();
        }

        Assert.Equal(0, CountAbandoned());

        int CountAbandoned() => _directory.Files.Count(name => name.StartsWith('n') && name != "new.sock.lock");
    }

    [Fact]
    public async Task Listen_AnotherProcessExaminesTheName_WaitsForItAndGetsTheName()
    {
        await WriteAsync(OldLock, Written);

        // As a listener of another process that cleans up: the directory first, then the lock of the name.
        using var cleaner = await LockHolder.StartAsync(_directory.Path, OldLock);
        var begun = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var listening = TimeLimit.OnThreads(() =>
        {
            begun.SetResult();
            Listen("old");
        });
        await begun.Task.InTime();
        Assert.False(File.Exists(OldSocket));
        await cleaner.ReleaseAsync();

        await listening;
        Assert.True(File.Exists(OldSocket));
    }

    [Fact]
    public async Task Listen_AnotherProcessKeepsTheDirectory_ListensAllTheSameAndCleansNothing()
    {
        Open("old").Dispose();
        using var cleaner = await LockHolder.StartAsync(_directory.Path);

        await TimeLimit.OnThreads(() => Listen(
            "new", new RendezvousSettings(_directory.Path) { LongestCleaningWait = TimeSpan.FromMilliseconds(20) }));

        Assert.True(File.Exists(_directory.File("new.sock")));
        Assert.True(File.Exists(OldLock));
    }

    [Fact]
    public async Task Listen_ListenersThatCleanUpBehindEachOther_AlwaysGetTheirNames()
    {
        const int Rounds = 100;
        using var start = new Barrier(3);
        await TimeLimit.OnThreads([.. Enumerable.Range(0, 3).Select(number => (Action)(() =>
        {
            start.SignalAndWait();
            for (var round = 0; round < Rounds; round++)
            {
                var endPoint = new SharedMemoryEndPoint($"name-{number}");
                using var listener = Open(endPoint.Name);
                Assert.Throws<EndPointInUseException>(() => Open(endPoint.Name));
                using var client = TransportPlatform.Current.Connect(endPoint, _directory.Path, out _);
                Assert.NotNull(client);
            }
        }))]);
    }

    [Fact]
    public async Task Listen_OwnDeadSocketAndAnotherName_ListensBeforeItCleansUp()
    {
        await WriteAsync(OldLock, Written);
        MakeDeadSocket("new.sock");

        // The kernel reports what happens to a directory in its order.
        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var changes = new ConcurrentQueue<string>();
        using var watcher = new FileSystemWatcher(_directory.Path);
        watcher.Created += (_, change) => changes.Enqueue($"+{change.Name}");
        watcher.Deleted += (_, change) =>
        {
            changes.Enqueue($"-{change.Name}");
            if (change.Name == "old.sock.lock")
            {
                done.SetResult();
            }
        };
        watcher.EnableRaisingEvents = true;

        Listen("new");

        await done.Task.InTime();
        Assert.Equal(["+new.sock.lock", "-new.sock", "+new.sock", "-old.sock.lock"], changes);
    }

    [Theory]
    [InlineData(UnixFileMode.GroupRead)]
    [InlineData(UnixFileMode.OtherRead)]
    public async Task Listen_DirectoryThatOthersMayRead_WaitsForNobodyAndCleansNothing(UnixFileMode right)
    {
        Open("old").Dispose();
        var mode = File.GetUnixFileMode(_directory.Path) | right;
        File.SetUnixFileMode(_directory.Path, mode);
        using var stranger = await LockHolder.StartAsync(_directory.Path);

        await TimeLimit.OnThreads(() => Listen("new", new RendezvousSettings(_directory.Path)
        {
            LinuxModes = new(mode, LinuxFileModes.OwnerAlone.Socket), LongestCleaningWait = Forever,
        }));
        await stranger.ReleaseAsync();
        Listen("newer", new RendezvousSettings(_directory.Path)
        {
            LinuxModes = new(mode, LinuxFileModes.OwnerAlone.Socket),
        });

        Assert.True(File.Exists(OldLock));
    }

    [Fact]
    public async Task Listen_ByPath_WaitsForNobody()
    {
        using var cleaner = await LockHolder.StartAsync(_directory.Path);

        await TimeLimit.OnThreads(() => Listen(
            _directory.Socket, new RendezvousSettings(null) { LongestCleaningWait = Forever }));

        Assert.True(File.Exists(_directory.Socket));
    }

    private static Task WriteAsync(string path, string text) =>
        File.WriteAllTextAsync(path, text, TestContext.Current.CancellationToken);

    private RendezvousSocket Open(string name, RendezvousSettings? settings = null) => TransportPlatform.Current.Listen(
        new SharedMemoryEndPoint(name), settings ?? new RendezvousSettings(_directory.Path));

    private RendezvousSocket Listen(string name, RendezvousSettings? settings = null)
    {
        var listener = Open(name, settings);
        lock (_listeners)
        {
            _listeners.Add(listener);
        }

        return listener;
    }

    private void MakeDeadSocket(string name = "old.sock")
    {
        using var socket = Libc.Socket();
        var address = UnixSocketAddress.Write(_directory.File(name), stackalloc byte[UnixSocketAddress.Size]);
        Assert.Equal(0, Libc.Bind(socket, address, (uint)address.Length));
        Assert.Equal(0, Libc.Listen(socket, 1));
    }
}
