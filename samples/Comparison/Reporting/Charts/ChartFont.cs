using ScottPlot;
using SkiaSharp;

namespace GrpcShm.Samples.Comparison.Reporting.Charts;

/// <summary>
/// The one font of all charts. It comes with the program. By default ScottPlot takes the font that the system names
/// first, which differs from machine to machine; in a container without fonts it draws no text at all.
/// </summary>
internal sealed class ChartFont : IFontResolver
{
    public const string Name = "Font of the charts";

    private const string Resource = "DejaVuSans-Latin.ttf";

    /// <summary>The font itself. It lives as long as the process.</summary>
    public static SKTypeface Typeface { get; } = Load();

    /// <summary>Makes it the font of all charts that are made from now on.</summary>
    public static void Use()
    {
        Fonts.FontResolvers.Insert(0, new ChartFont());
        Fonts.Default = Name;
    }

    public SKTypeface? CreateTypeface(string fontName, FontWeight weight, FontSlant slant, FontSpacing width) =>
        fontName == Name ? Typeface : null;

    public SKTypeface? CreateTypeface(string fontName, bool bold, bool italic) =>
        fontName == Name ? Typeface : null;

    private static SKTypeface Load()
    {
        using var stream = typeof(ChartFont).Assembly.GetManifestResourceStream(Resource)
            ?? throw new InvalidOperationException($"The program was built without its font, {Resource}.");
        return SKTypeface.FromStream(stream)
            ?? throw new InvalidOperationException($"The font of the charts, {Resource}, cannot be read.");
    }
}
