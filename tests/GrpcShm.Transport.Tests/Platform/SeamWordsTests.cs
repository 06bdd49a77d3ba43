using System.Text.RegularExpressions;

namespace GrpcShm.Transport.Tests.Platform;

/// <summary>
/// Code above the seam does not use the words of one system: neither in code, nor in comments, nor in messages.
/// </summary>
public sealed partial class SeamWordsTests
{
    /// <summary>The words that are allowed in a file, and why.</summary>
    private static readonly (string File, string Text)[] Allowed =
    [
        // The options of Linux alone, and the code that passes them on.
        ("LinuxRendezvousOptions.cs", "Linux"),
        ("LinuxRendezvousOptions.cs", "UnixFileMode"),
        ("SharedMemoryTransportOptions.cs", "Linux"),
        ("SharedMemoryTransportOptions.cs", "\"linux\""),
        ("SharedMemoryTransportOptions.cs", "OperatingSystem.IsLinux()"),
        ("SharedMemorySection.cs", "Linux"),
        ("SharedMemorySection.cs", "linux"),
        ("SharedMemorySection.cs", "UnixFileMode"),
        ("SharedMemoryOptionsValidation.cs", "LinuxRendezvous"),
        ("FileModeText.cs", "UnixFileMode"),
        ("SharedMemoryTransportFactory.cs", "LinuxModes"),
        ("SharedMemoryTransportFactory.cs", "LinuxRendezvous"),

        // Describes the identities of each system.
        ("PeerIdentity.cs", "Linux"),
        ("PeerIdentity.cs", "<c>root</c>"),

        // Names of claims, which are documented.
        ("SharedMemoryPeerClaimTypes.cs", "\"gid\""),
        ("SharedMemoryPeerClaimTypes.cs", "\"pid\""),
        ("ISharedMemoryConnectionFeature.cs", "<c>gid</c>"),
        ("ISharedMemoryConnectionFeature.cs", "<c>pid</c>"),

        // Takes a text apart, and looks at no file.
        ("SharedMemoryChannel.cs", "Path.GetFileNameWithoutExtension"),

        // Names of the framework.
        ("SharedMemoryEndPoint.cs", "AddressFamily.Unix"),
        ("HostingAddresses.cs", "IsUnixPipe"),
        ("HostingAddresses.cs", "UnixPipePath"),
        ("HostingAddresses.cs", "ListenUnixSocket"),
    ];

    [Fact]
    public void Sources_AboveThePlatform_HaveNoWordsOfOneSystem()
    {
        var found = Sources().SelectMany(static file => Find(file.Path, file.Lines)).ToList();
        Assert.True(found.Count == 0, $"Words of one system above the seam:\n{string.Join('\n', found)}");
    }

    [Fact]
    public void Sources_AreAllThere()
    {
        var names = Sources().Select(static file => Path.GetFileName(file.Path)).ToHashSet();
        Assert.Superset(
            new HashSet<string> { "ControlChannel.cs", "SharedMemoryChannel.cs", "SharedMemoryTransportFactory.cs" },
            names);
        Assert.DoesNotContain("LinuxPlatform.cs", names);
    }

    [Fact]
    public void Allowed_NothingIsAllowedInVain()
    {
        var texts = Sources().ToLookup(
            static file => Path.GetFileName(file.Path), static file => string.Join('\n', file.Lines));
        Assert.DoesNotContain(
            Allowed,
            entry => !texts[entry.File].Any(text => text.Contains(entry.Text, StringComparison.Ordinal)));
    }

    [Theory]
    [InlineData("// the descriptor stays open")]
    [InlineData("SafeFileDescriptor socket;")]
    [InlineData("throw new IOException(\"memfd_create failed\");")]
    [InlineData("/// <summary>Unlinks the file.</summary>")]
    [InlineData("case EAGAIN:")]
    [InlineData("// SIGBUS at first touch")]
    [InlineData("var path = \"/dev/shm/x\";")]
    [InlineData("// as in 'shm:///run/orders.sock'")]
    [InlineData("the peer's uid")]
    [InlineData("SCM_RIGHTS")]
    [InlineData("[LibraryImport(\"c\")]")]
    [InlineData("if (File.Exists(path))")]
    [InlineData("if (OperatingSystem.IsWindows())")]
    public void Find_WordOfOneSystem_IsFound(string line) => Assert.NotEmpty(Find("Any.cs", [line]));

    [Theory]
    [InlineData("services.Add(ServiceDescriptor.Singleton<T>());")]
    [InlineData("using GrpcShm.Transport.Signaling;")]
    [InlineData("// Specified in docs/why/protocol.md")]
    [InlineData("is \"application/grpc\" or \"/package.Service/Method\"")]
    [InlineData("EXIT, SIGNAL and statistics")]
    public void Find_OtherWords_AreNotFound(string line) => Assert.Empty(Find("Any.cs", [line]));

    private static IEnumerable<string> Find(string path, string[] lines)
    {
        var name = Path.GetFileName(path);
        for (var i = 0; i < lines.Length; i++)
        {
            var line = Allowed.Where(entry => entry.File == name)
                .OrderByDescending(static entry => entry.Text.Length)
                .Aggregate(
                    lines[i],
                    static (text, entry) => text.Replace(entry.Text, string.Empty, StringComparison.Ordinal));
            foreach (Match match in SystemWords().Matches(line))
            {
                yield return $"{path}({i + 1}): {match.Value.Trim()}";
            }
        }
    }

    private static IEnumerable<(string Path, string[] Lines)> Sources()
    {
        var root = SourceTree.Root;
        string[] projects = ["GrpcShm.Transport", "GrpcShm.Client", "GrpcShm.AspNetCore", "Shared"];
        return projects
            .SelectMany(project => Directory.EnumerateFiles(
                Path.Join(root, "src", project), "*.cs", SearchOption.AllDirectories))
            .Where(static path => !path.Split('/').Any(static part => part is "Platform" or "obj" or "bin"))
            .Select(static path => (path, File.ReadAllLines(path)));
    }

    // Objects and calls of the kernel; errors and signals; users and files; paths; and code that asks the system by
    // itself.
    [GeneratedRegex("""
        \bdescriptors?\b | FileDescriptor | memfd | eventfd | epoll | futex | \bflock | fcntl
        | \bmmap | \bmkdir | membarrier
        | [Uu]nlink | chmod | chown | umask | \binode | [Ss]ymlink | sun_path | sockaddr | SCM_ | SO_PEER | RLIMIT_
        | \berrno\b
        | \bE(PERM|ACCES|INTR|AGAIN|NOENT|MFILE|NFILE|NOMEM|NOSPC|INVAL|BADF|PIPE|EXIST|WOULDBLOCK|CONN\w+|ADDR\w+)\b
        | \bSIG(BUS|KILL|TERM|INT|SEGV|PIPE|STOP|CONT|XFSZ|HUP|CHLD)\b
        | \b[eE]?[ugUG]id\b | \bpid\b | geteuid | \broot\b | UnixFileMode
        | [Pp]osix | POSIX | \blibc | glibc | seccomp | cgroup | [Ss]ystemd | [Ll]inux | Unix | [Kk]ernel | XDG_
        | (?<![\w.])/(dev|proc|run|tmp|sys|etc|var|usr|home)\b
        | DllImport | LibraryImport | OperatingSystem\. | \b(File|Directory|Path)\.[A-Z]
        """, RegexOptions.IgnorePatternWhitespace | RegexOptions.ExplicitCapture)]
    private static partial Regex SystemWords();
}
