using System.Text.RegularExpressions;
using System.Xml.Linq;

namespace GrpcShm.Samples.Tests.Comparison;

/// <summary>
/// The pictures of the pages. <c>GRPCSHM_PICTURES</c> names a folder with the same pictures, newly made by the commands
/// of the gallery; without it the pictures are those that the pages show.
/// </summary>
public sealed partial class GalleryTests
{
    // A phone shows a picture about 400 units wide. In a wider picture the text would be too small there.
    private const double WidestPicture = 760;
    private const int MostBytes = 200_000;

    private static readonly string Docs = Path.Combine(SourceTree.Root, "docs");

    private static readonly string Folder =
        Environment.GetEnvironmentVariable("GRPCSHM_PICTURES") ?? Path.Combine(Docs, "pictures");

    public static TheoryData<string> Shown => [.. ReadShown()];

    [Theory]
    [MemberData(nameof(Shown))]
    public void Picture_ShownOnAPage_IsASmallPictureThatNeedsNothingElse(string name)
    {
        var file = new FileInfo(Path.Combine(Folder, name));
        Assert.True(file.Exists, $"No command of docs/gallery.md has made {name}.");
        Assert.InRange(file.Length, 1, MostBytes);

        var picture = XDocument.Load(file.FullName).Root!;

        Assert.Equal("svg", picture.Name.LocalName);
        var box = picture.Attribute("viewBox")!.Value.Split(' ').Select(double.Parse).ToArray();
        Assert.InRange(box[2], 1, WidestPicture);
        Assert.True(picture.Descendants().Count() > 10, $"{name} is empty.");
        Assert.DoesNotContain(
            picture.Descendants().Attributes(),
            attribute => attribute.Name.LocalName == "href" && !attribute.Value.StartsWith('#'));
    }

    [Fact]
    public void Pictures_OfTheFolder_AreAllShown() => Assert.Empty(
        Directory.EnumerateFiles(Path.Combine(Docs, "pictures")).Select(Path.GetFileName).Except(ReadShown()));

    private static IEnumerable<string> ReadShown() =>
        ((string[])[Path.Combine(Docs, "gallery.md"), Path.Combine(SourceTree.Root, "README.md")])
            .SelectMany(page => Picture().Matches(File.ReadAllText(page)).Select(match => match.Groups[1].Value))
            .Distinct();

    [GeneratedRegex(@"pictures/([a-z0-9-]+\.svg)[)""]")]
    private static partial Regex Picture();
}
