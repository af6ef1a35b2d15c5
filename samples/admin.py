"""For the site administrator: accounts and projects. Samples and results are behind project roles only."""

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin

from samples.models import Membership, Project, User


class MembershipInline(admin.TabularInline):
    model = Membership
    extra = 0
    autocomplete_fields = ["user"]


@admin.register(Project)
class ProjectAdmin(admin.ModelAdmin):
    list_display = ["name", "slug", "created_at"]
    inlines = [MembershipInline]


@admin.register(User)
class PersonAdmin(UserAdmin):
    fieldsets = (*UserAdmin.fieldsets, ("Vitrine", {"fields": ["time_zone", "default_project"]}))
