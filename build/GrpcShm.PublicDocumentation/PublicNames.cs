using System.Reflection;
using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;

namespace GrpcShm.PublicDocumentation;

/// <summary>
/// The names of the types and members of an assembly that other assemblies can use. The names have the form that they
/// have in documentation files: <c>M:Space.Type.Method(System.Int32)</c>.
/// </summary>
internal static class PublicNames
{
    public static HashSet<string> Read(string path)
    {
        using var file = new PEReader(File.OpenRead(path));
        var reader = file.GetMetadataReader();
        var names = new HashSet<string>(StringComparer.Ordinal);
        foreach (var handle in reader.TypeDefinitions)
        {
            if (IsVisible(reader, reader.GetTypeDefinition(handle)))
            {
                Add(names, reader, handle);
            }
        }

        return names;
    }

    private static void Add(HashSet<string> names, MetadataReader reader, TypeDefinitionHandle handle)
    {
        var type = reader.GetTypeDefinition(handle);
        var typeName = TypeNames.Of(reader, handle);
        names.Add($"T:{typeName}");
        foreach (var field in type.GetFields().Select(reader.GetFieldDefinition).Where(IsVisible))
        {
            names.Add($"F:{typeName}.{MemberName(reader, field.Name)}");
        }

        foreach (var method in type.GetMethods().Where(method => IsVisible(reader, method)))
        {
            names.Add($"M:{typeName}.{MethodName(reader, reader.GetMethodDefinition(method))}");
        }

        foreach (var property in type.GetProperties().Select(reader.GetPropertyDefinition))
        {
            var accessors = property.GetAccessors();
            if (IsVisible(reader, accessors.Getter) || IsVisible(reader, accessors.Setter))
            {
                var signature = property.DecodeSignature(new TypeNames(), null);
                names.Add($"P:{typeName}.{MemberName(reader, property.Name)}{Parameters(signature)}");
            }
        }

        foreach (var definition in type.GetEvents().Select(reader.GetEventDefinition))
        {
            if (IsVisible(reader, definition.GetAccessors().Adder))
            {
                names.Add($"E:{typeName}.{MemberName(reader, definition.Name)}");
            }
        }
    }

    private static string MethodName(MetadataReader reader, MethodDefinition method)
    {
        var signature = method.DecodeSignature(new TypeNames(), null);
        var name = MemberName(reader, method.Name);
        var generic = signature.GenericParameterCount == 0 ? "" : $"``{signature.GenericParameterCount}";
        var result = name is "op_Implicit" or "op_Explicit" ? $"~{signature.ReturnType}" : "";
        return $"{name}{generic}{Parameters(signature)}{result}";
    }

    private static string Parameters(MethodSignature<string> signature) =>
        signature.ParameterTypes.IsEmpty ? "" : $"({string.Join(',', signature.ParameterTypes)})";

    private static string MemberName(MetadataReader reader, StringHandle name) =>
        reader.GetString(name).Replace('.', '#');

    private static bool IsVisible(MetadataReader reader, TypeDefinition type) =>
        (type.Attributes & TypeAttributes.VisibilityMask) switch
        {
            TypeAttributes.Public => true,
            TypeAttributes.NestedPublic or TypeAttributes.NestedFamily or TypeAttributes.NestedFamORAssem =>
                IsVisible(reader, reader.GetTypeDefinition(type.GetDeclaringType())),
            _ => false,
        };

    private static bool IsVisible(MetadataReader reader, MethodDefinitionHandle method) =>
        !method.IsNil && (reader.GetMethodDefinition(method).Attributes & MethodAttributes.MemberAccessMask)
            is MethodAttributes.Public or MethodAttributes.Family or MethodAttributes.FamORAssem;

    private static bool IsVisible(FieldDefinition field) =>
        (field.Attributes & FieldAttributes.FieldAccessMask)
            is FieldAttributes.Public or FieldAttributes.Family or FieldAttributes.FamORAssem;
}
