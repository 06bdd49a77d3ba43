using System.IO.Compression;
using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace GrpcShm.PackageChecks;

/// <summary>
/// The symbols. They belong to the assembly. Each source file is in them, or they have an address of it, and the file
/// at this address has the content that was compiled. They have no path of the machine that built them.
/// </summary>
internal static class SymbolChecks
{
    private static readonly Guid SourceLink = new("CC110556-A091-4D38-9FEC-25AB9A351A6A");
    private static readonly Guid EmbeddedSource = new("0E8A571B-6926-466E-B4AD-8AB04611F5FE");
    private static readonly Guid Sha256 = new("8829D00F-11B8-4213-878B-770E8597AC16");

    public static IEnumerable<string> Find(Package package, Repository repository, CommittedFiles commit)
    {
        var packed = package.Element("repository")?.Attribute("commit")?.Value;
        if (packed != commit.Commit)
        {
            yield return $"{package.Name}: is of commit '{packed}', and not of '{commit.Commit}'.";
        }

        using var symbols = MetadataReaderProvider.FromPortablePdbStream(new MemoryStream(package.Symbols()));
        var reader = symbols.GetMetadataReader();
        if (!BelongTogether(package.Assembly(), reader))
        {
            yield return $"{package.Name}: the symbols are those of another build than the assembly.";
        }

        foreach (var (what, content) in Contents(package, reader))
        {
            foreach (var path in MachinePaths(repository).Where(path => content.AsSpan().IndexOf(path.Bytes) >= 0))
            {
                yield return $"{package.Name}: {what} names {path.Path}, a path of this machine.";
            }
        }

        var root = SourceRoot(reader, repository, commit.Commit, out var fault);
        if (fault is not null)
        {
            yield return $"{package.Name}: {fault}";
            yield break;
        }

        foreach (var document in reader.Documents)
        {
            if (FaultOf(reader, document, root, commit) is { } wrong)
            {
                yield return $"{package.Name}: {reader.GetString(reader.GetDocument(document).Name)} {wrong}";
            }
        }
    }

    // The name that the symbols give the folder of the repository, if they map it to the address of the commit.
    private static string SourceRoot(MetadataReader reader, Repository repository, string commit, out string? fault)
    {
        var links = Information(reader, EntityHandle.ModuleDefinition, SourceLink);
        var files = repository.Home.Replace("//github.com/", "//raw.githubusercontent.com/", StringComparison.Ordinal);
        var wanted = $"{files}/{commit}/*";
        var text = links is null ? "nothing" : Encoding.UTF8.GetString(links);
        fault = null;
        if (links is not null)
        {
            using var json = JsonDocument.Parse(links);
            var entries = json.RootElement.GetProperty("documents").EnumerateObject().ToList();
            if (entries.Count == 1 && entries[0].Name.EndsWith('*') && entries[0].Value.GetString() == wanted)
            {
                return entries[0].Name[..^1];
            }
        }

        fault = $"SourceLink says {text}, and does not lead to {wanted}. Build and pack what is committed.";
        return "";
    }

    private static string? FaultOf(MetadataReader reader, DocumentHandle handle, string root, CommittedFiles commit)
    {
        var document = reader.GetDocument(handle);
        var name = reader.GetString(document.Name);
        if (Information(reader, handle, EmbeddedSource) is not null)
        {
            return null;
        }

        if (!name.StartsWith(root, StringComparison.Ordinal))
        {
            return $"is not below {root} and not in the symbols: no debugger finds it.";
        }

        var source = commit.Read(name[root.Length..]);
        return source is null ? "is neither in the commit nor in the symbols: no debugger finds it."
            : reader.GetGuid(document.HashAlgorithm) != Sha256 ? "has no SHA-256 hash."
            : !SHA256.HashData(source).AsSpan().SequenceEqual(reader.GetBlobBytes(document.Hash))
                ? "was compiled with another content than the commit has. Commit, build and pack again."
                : null;
    }

    private static bool BelongTogether(byte[] assembly, MetadataReader symbols)
    {
        using var file = new PEReader(new MemoryStream(assembly));
        var entry = file.ReadDebugDirectory().Single(static entry => entry.Type == DebugDirectoryEntryType.CodeView);
        var id = new BlobContentId(symbols.DebugMetadataHeader!.Id);
        return file.ReadCodeViewDebugDirectoryData(entry).Guid == id.Guid;
    }

    private static IEnumerable<(string What, byte[] Content)> Contents(Package package, MetadataReader symbols)
    {
        yield return ("the assembly", package.Assembly());
        yield return ("the file of symbols", package.Symbols());
        yield return ("the documentation", package.Documentation());
        foreach (var handle in symbols.Documents)
        {
            var name = symbols.GetString(symbols.GetDocument(handle).Name);
            yield return ("a name in the symbols", Encoding.UTF8.GetBytes(name));
            if (Information(symbols, handle, EmbeddedSource) is { } source)
            {
                yield return ($"the source {name} in the symbols", Unpack(source));
            }
        }
    }

    private static IEnumerable<(string Path, byte[] Bytes)> MachinePaths(Repository repository)
    {
        var home = Environment.GetFolderPath(Environment.SpecialFolder.UserProfile);
        foreach (var path in new[] { $"{repository.Root}/", Path.Join(home, ".nuget") })
        {
            yield return (path, Encoding.UTF8.GetBytes(path));
            yield return (path, Encoding.Unicode.GetBytes(path));
        }
    }

    // The first four bytes are the length of the source. If they are zero, the source is not compressed.
    private static byte[] Unpack(byte[] source)
    {
        var content = new MemoryStream(source, 4, source.Length - 4);
        if (BitConverter.ToInt32(source) == 0)
        {
            return content.ToArray();
        }

        using var unpacked = new MemoryStream();
        using var inflated = new DeflateStream(content, CompressionMode.Decompress);
        inflated.CopyTo(unpacked);
        return unpacked.ToArray();
    }

    private static byte[]? Information(MetadataReader reader, EntityHandle of, Guid kind)
    {
        var found = reader.GetCustomDebugInformation(of)
            .Select(reader.GetCustomDebugInformation)
            .Where(information => reader.GetGuid(information.Kind) == kind)
            .ToList();
        return found.Count == 0 ? null : reader.GetBlobBytes(found[0].Value);
    }
}
