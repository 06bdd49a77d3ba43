using System.Diagnostics;
using System.Globalization;

namespace GrpcShm.PackageChecks;

/// <summary>
/// The files of the commit that is checked out: the project's home serves them at the commit's address.
/// </summary>
internal sealed class CommittedFiles : IDisposable
{
    private readonly Process _git;

    public CommittedFiles(Repository repository)
    {
        Commit = Ask(repository, "rev-parse", "HEAD").StandardOutput.ReadToEnd().Trim();
        _git = Ask(repository, "cat-file", "--batch");
    }

    /// <summary>The commit that is checked out.</summary>
    public string Commit { get; }

    /// <summary>How many files have been read.</summary>
    public int Compared { get; private set; }

    /// <summary>A file of the commit, or nothing if the commit does not have it.</summary>
    public byte[]? Read(string path)
    {
        _git.StandardInput.WriteLine($"{Commit}:{path}");
        _git.StandardInput.Flush();
        var output = _git.StandardOutput.BaseStream;
        var header = ReadLine(output);
        if (header.EndsWith(" missing", StringComparison.Ordinal))
        {
            return null;
        }

        var content = new byte[int.Parse(header.Split(' ')[^1], CultureInfo.InvariantCulture)];
        output.ReadExactly(content);
        output.ReadByte();
        Compared++;
        return content;
    }

    public void Dispose()
    {
        _git.StandardInput.Close();
        _git.WaitForExit();
        _git.Dispose();
    }

    private static string ReadLine(Stream stream)
    {
        var line = new List<char>();
        for (int letter; (letter = stream.ReadByte()) != '\n';)
        {
            line.Add(letter >= 0 ? (char)letter : throw new InvalidOperationException("git has ended."));
        }

        return new string([.. line]);
    }

    private static Process Ask(Repository repository, params string[] arguments) =>
        Process.Start(new ProcessStartInfo("git", ["-C", repository.Root, .. arguments])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
        })!;
}
