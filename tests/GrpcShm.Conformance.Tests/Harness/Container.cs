using System.Diagnostics;

namespace GrpcShm.Conformance.Tests.Harness;

/// <summary>
/// A process in namespaces of its own: it has its own process ids, its own <c>/dev/shm</c> with 64 KiB, its own
/// <c>/tmp</c>, and one directory that it shares with others. It sees the files of this machine.
/// </summary>
/// <remarks>
/// Made by <c>unshare</c>. It needs root, or a system that lets every user make namespaces. Where the system refuses
/// it, the command fails, and so does the test that has started it.
/// </remarks>
internal static class Container
{
    private const string Enter =
        """
        set -e
        shared=$1 program=$2
        shift
        mount --make-rprivate /
        mount -t tmpfs stage /mnt
        mkdir /mnt/shared /mnt/program
        mount --bind "$shared" /mnt/shared
        mount --bind "${program%/*}" /mnt/program
        mount -t tmpfs -o size=64k shm /dev/shm
        mount -t tmpfs tmp /tmp
        mkdir -p "$shared" "${program%/*}"
        mount --bind /mnt/shared "$shared"
        mount --bind /mnt/program "${program%/*}"
        exec "$@"
        """;

    /// <summary>The command that runs another one in a new container.</summary>
    /// <param name="directory">The directory that is shared.</param>
    /// <param name="command">The program, by its full path, and its arguments.</param>
    public static ProcessStartInfo Command(string directory, params IEnumerable<string> command)
    {
        string[] asRoot = Environment.IsPrivilegedProcess ? [] : ["--user", "--map-root-user"];
        return new ProcessStartInfo(
            "unshare",
            [
                .. asRoot, "--mount", "--pid", "--fork", "--kill-child", "--mount-proc",
                "sh", "-c", Enter, "sh", directory, .. command,
            ]);
    }
}
